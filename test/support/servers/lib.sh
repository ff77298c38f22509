# What the scripts of the storage servers share; sourced by them.
#
# A server lives in a folder: its data, its log, and the number of each of its processes
# in a file NAME.pid. `stop` needs nothing but that folder.

unset CDPATH
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
tools="$project/.tools"

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# own_folder DIR: makes DIR, which `stop` deletes: so it must not hold anybody else's files.
own_folder() {
    if [ -e "$1" ] && [ ! -e "$1/.test-server" ] && [ -n "$(ls -A "$1" 2>/dev/null)" ]; then
        fail "$1 is not empty and no server's folder"
    fi
    mkdir -p "$1"
    touch "$1/.test-server"
}

# go_tool NAME PACKAGE@VERSION: installs a Go command unless it is there. One installer
# at a time: two test runs may start together.
go_tool() {
    mkdir -p "$tools/bin"
    (
        flock 9
        [ -x "$tools/bin/$1" ] && exit
        echo "installing $2; the first time takes a few minutes" >&2
        GOBIN="$tools/bin" GOFLAGS= CGO_ENABLED=0 go install -p 2 "$2" >&2
    ) 9>"$tools/.$1.lock" || fail "could not install $2"
}

# ours DIR NAME: whether the process in DIR/NAME.pid runs. A number may have gone to
# another process since, so the start time is compared as well.
ours() {
    local pid started
    [ -s "$1/$2.pid" ] || return 1
    read -r pid started <"$1/$2.pid"
    [ "$(started_at "$pid")" = "$started" ]
}

started_at() {
    # The command's name, the second field, may hold spaces.
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# run_detached DIR NAME COMMAND...: starts a server that outlives this script, unless it runs.
run_detached() {
    local dir=$1 name=$2
    shift 2
    ours "$dir" "$name" && return
    setsid "$@" >>"$dir/$name.log" 2>&1 </dev/null &
    local pid=$!
    echo "$pid $(started_at "$pid")" >"$dir/$name.pid"
}

# wait_ready DIR NAME COMMAND...: until COMMAND succeeds.
wait_ready() {
    local dir=$1 name=$2 try
    shift 2
    for ((try = 0; try < 300; try++)); do
        "$@" >/dev/null 2>&1 && return
        ours "$dir" "$name" || break
        sleep 0.1
    done
    tail -n 20 "$dir/$name.log" >&2
    fail "$name did not start"
}

# end DIR: ends the processes of DIR and keeps its data.
end() {
    local file name pid try
    for file in "$1"/*.pid; do
        [ -e "$file" ] || continue
        name=$(basename "$file" .pid)
        if ours "$1" "$name"; then
            read -r pid _ <"$file"
            kill "$pid"
            for ((try = 0; try < 100; try++)); do
                ours "$1" "$name" || break
                sleep 0.1
            done
            ! ours "$1" "$name" || kill -9 "$pid"
        fi
        rm -f "$file"
    done
}

# end_or_stop down|stop DIR
end_or_stop() {
    [ -d "$2" ] || return 0
    [ -e "$2/.test-server" ] || fail "$2 is no server's folder"
    end "$2"
    [ "$1" = down ] || rm -rf "$2"
}

# random_word LENGTH: letters and digits.
random_word() {
    od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n' | cut -c1-"$1"
}
