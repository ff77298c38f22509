# Sourced by build.sh, and by the scripts of the repository: how they tell people what they do, and compile Go.
# On a terminal what is under way is one line that the next one overwrites.

# say TEXT: what happened, after PROGRESS_PREFIX.
say() {
  [ ! -t 2 ] || printf '\r\033[K' >&2
  printf '%s%s\n' "${PROGRESS_PREFIX:-}" "$*" >&2
}

# begun TEXT: what is under way.
begun() { if [ -t 2 ]; then printf '\r\033[K%s%s' "${PROGRESS_PREFIX:-}" "$*" >&2; else say "$*"; fi; }

# far NUMBER STEP TEXT: how far it is; without a terminal told in steps. Keeps in `told` what was told last.
far() {
  if [ ! -t 2 ]; then
    [ "$1" -ge $((told + $2)) ] || return 0
    told=$(($1 - $1 % $2))
  fi
  begun "$3"
}

# quietly COMMAND...: what it prints is shown only if it fails.
quietly() (
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  "$@" >"$log" 2>&1 || {
    status=$?
    [ ! -t 2 ] || echo >&2
    cat "$log" >&2
    exit $status
  }
)

# go_folders FOLDER: has Go keep in a folder what it compiles and fetches, if it can't do so in HOME, as in a container of another user.
# Modules that are there are used also where nobody may add to them.
go_folders() {
  for variable in GOCACHE GOMODCACHE; do
    kept=$(cd / && GOTOOLCHAIN=local go env $variable 2>/dev/null) || kept=
    case $kept in
      /*) mkdir -p "$kept" 2>/dev/null && { [ -w "$kept" ] || [ $variable = GOMODCACHE ]; } && continue ;;
    esac
    export "$variable=$1/$variable"
  done
}

# go_compile NAME PACKAGE FILE [OPTION...]: builds a Go command into a file. What is in Go's caches is not built again.
go_compile() (
  name=$1 package=$2 file=$3
  shift 3
  {
    # With -v each package is named when it is compiled.
    packages=$(go list -deps "$@" "$package") &&
      echo "packages $(echo "$packages" | wc -l)" &&
      go build -v -o "$file" "$@" "$package" && echo "done"
  } 2>&1 | {
    fetched=0 compiled=0 total=1 told=0 result=1
    while IFS= read -r line; do
      case "$line" in
        "go: downloading "*)
          fetched=$((fetched + 1))
          far $fetched 200 "$name: $fetched modules fetched"
          ;;
        "packages "*) total=${line#packages } told=0 ;;
        "done") result=0 ;;
        *[!a-zA-Z0-9./_~+-]* | "") printf '%s\n' "$line" >&2 ;;
        *)
          compiled=$((compiled + 1))
          [ $compiled -ge "$total" ] || far $((compiled * 100 / total)) 40 "$name: $((compiled * 100 / total)) % compiled"
          ;;
      esac
    done
    exit $result
  }
)
