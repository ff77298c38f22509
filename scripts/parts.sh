# Sourced by the scripts that check everything: runs a check's parts, says how each ended, and goes on after one that fails, so that
# one run tells all.

parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
# A part that is a script of parts reports to whoever began it as well.
reports="$parts/report ${CONTAINER_REGISTRY_REPORTS-}"

asides=

# report NAME RESULT SECONDS
report() {
  # shellcheck disable=SC2086
  printf '%-12s %-6s %4d s\n' "$@" | tee -a $reports
}

# part NAME COMMAND...
part() {
  local name=$1 begin=$SECONDS result=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || result=FAILED
  report "$name" "$result" $((SECONDS - begin))
}

# aside COMMAND...: runs it beside what follows, after which it is heard.
aside() {
  "$@" >"$(mktemp "$parts/aside.XXXXXX")" 2>&1 &
  asides="$asides $!:$1"
}

# finish: waits for what runs aside, and ends the script. What was ended before it could report has failed.
finish() {
  local each
  for each in $asides; do
    wait "${each%%:*}" || report "${each#*:}" FAILED $SECONDS
  done
  cat "$parts"/aside.* 2>/dev/null || true
  printf '\n'
  cat "$parts/report"
  ! grep -q FAILED "$parts/report"
  exit
}
