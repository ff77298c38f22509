#!/usr/bin/env bash
# Runs an Azure Blob server (Microsoft's emulator Azurite), for tests.
#
#   azurite.sh start DIR ADDRESS:PORT CONTAINER...   start in DIR, make the containers, and print
#                                                    serviceurl=, accountname=, accountkey=
#   azurite.sh down DIR                              end the server and keep its data
#   azurite.sh stop DIR                              end the server and delete DIR
#
# Starting what runs only makes the containers that are missing. Servers with different DIRs run
# side by side.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=3.37.0
accountname=registrytest

usage="usage: azurite.sh start DIR ADDRESS:PORT CONTAINER... | azurite.sh down|stop DIR"

install_azurite() {
    mkdir -p "$tools/azurite"
    (
        flock 9
        [ -e "$tools/azurite/installed-$version" ] && exit
        echo "installing azurite $version" >&2
        npm install --loglevel=error --prefix "$tools/azurite" --no-audit --no-fund --no-package-lock "azurite@$version" >&2
        touch "$tools/azurite/installed-$version"
    ) 9>"$tools/.azurite.lock" || fail "could not install azurite"
}

write_key() {
    [ -e "$dir/key" ] || (umask 077 && head -c 64 /dev/urandom | base64 -w0 >"$dir/key")
    accountkey=$(cat "$dir/key")
}

start() {
    dir=$1
    local address=$2
    serviceurl=http://$2/$accountname
    shift 2
    install_azurite
    own_folder "$dir"
    mkdir -p "$dir/data"
    write_key
    AZURITE_ACCOUNTS="$accountname:$accountkey" run_detached "$dir" azurite \
        node "$tools/azurite/node_modules/azurite/dist/src/blob/main.js" --silent --disableTelemetry --skipApiVersionCheck \
        --location "$dir/data" --blobHost "${address%:*}" --blobPort "${address##*:}"
    wait_ready "$dir" azurite curl --silent "$serviceurl?comp=list"
    ACCOUNT_KEY=$accountkey node "$(dirname "${BASH_SOURCE[0]}")/azureContainers.mjs" "$serviceurl" "$@" || fail "could not make the containers"
    echo "serviceurl=$serviceurl"
    echo "accountname=$accountname"
    echo "accountkey=$accountkey"
}

case "${1:-}" in
    start) [ $# -ge 3 ] || fail "$usage"; shift; start "$@" ;;
    down | stop) [ $# -eq 2 ] || fail "$usage"; end_or_stop "$1" "$2" ;;
    *) fail "$usage" ;;
esac
