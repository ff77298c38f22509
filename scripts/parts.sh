# Sourced by the scripts that check everything: runs a check's parts, says how each ended, and goes on after one that fails, so that
# one run tells all.

parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

# part NAME COMMAND...
part() {
  local name=$1 begin=$SECONDS result=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || result=FAILED
  printf '%-12s %-6s %4d s\n' "$name" "$result" $((SECONDS - begin)) | tee -a "$parts/report"
}

# aside COMMAND...: runs it beside what follows, after which it is heard.
aside() {
  "$@" >"$parts/aside" 2>&1 &
}

# finish: waits for what runs aside, and ends the script.
finish() {
  wait
  [ ! -e "$parts/aside" ] || cat "$parts/aside"
  printf '\n'
  cat "$parts/report"
  ! grep -q FAILED "$parts/report"
  exit
}
