# Sourced by the scripts that check everything: runs a check's parts, says how each ended, and goes on after one that fails, so that
# one run tells all.

parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
# A part that is a script of parts reports to whoever began it as well.
reports="$parts/report ${CONTAINER_REGISTRY_REPORTS-}"

# part NAME COMMAND...
part() {
  local name=$1 begin=$SECONDS result=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || result=FAILED
  # shellcheck disable=SC2086
  printf '%-12s %-6s %4d s\n' "$name" "$result" $((SECONDS - begin)) | tee -a $reports
}

# aside COMMAND...: runs it beside what follows, after which it is heard.
aside() {
  "$@" >"$(mktemp "$parts/aside.XXXXXX")" 2>&1 &
}

# finish: waits for what runs aside, and ends the script.
finish() {
  wait
  cat "$parts"/aside.* 2>/dev/null || true
  printf '\n'
  cat "$parts/report"
  ! grep -q FAILED "$parts/report"
  exit
}
