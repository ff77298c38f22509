#!/usr/bin/env bash
# Runs a Google Cloud Storage server (fake-gcs-server behind gcsFront.mjs), for tests.
#
#   fakegcs.sh start [--certificate FILE --key FILE] DIR ADDRESS BUCKET...   start in DIR, make the
#       buckets, and print hosts= (the names to resolve to ADDRESS, with commas between), ca= (the
#       certificate to trust), serviceaccount=, and readerserviceaccount= of an account that may only read
#   fakegcs.sh down DIR                                                      end it and keep its data
#   fakegcs.sh stop DIR                                                      end it and delete DIR
#
# The driver asks https://storage.googleapis.com and nobody else, so this one answers under Google's
# names, on port 443 of ADDRESS (which needs root), with a certificate for them:
# the one given or its own. Clients need hosts entries, as by `docker run --add-host`, and SSL_CERT_FILE.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

package=github.com/fsouza/fake-gcs-server@v1.56.1
names=(storage.googleapis.com oauth2.googleapis.com)
here=$(dirname "${BASH_SOURCE[0]}")

usage="usage: fakegcs.sh start [--certificate FILE --key FILE] DIR ADDRESS BUCKET... | fakegcs.sh down|stop DIR"

write_certificate() {
    [ -e "$dir/certificate.pem" ] && return
    local alternatives
    alternatives=$(printf 'DNS:%s,' "${names[@]}")
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=Google Cloud Storage for tests" \
        -addext "subjectAltName=${alternatives%,}" -keyout "$dir/key.pem" -out "$dir/certificate.pem" 2>/dev/null ||
        fail "could not make a certificate"
}

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

ready() {
    curl --silent --fail --cacert "$certificate" --connect-to "::$address:443" "https://${names[0]}/ready"
}

make_buckets() {
    local bucket
    for bucket; do
        # 409: it is there already.
        curl --silent --output /dev/null --write-out '%{http_code}' --header 'Host: storage.googleapis.com' --json "{\"name\":\"$bucket\"}" \
            "http://127.0.0.1:$(cat "$dir/port")/storage/v1/b?project=test" | grep -qE '200|409' || fail "could not make bucket $bucket"
    done
}

start() {
    certificate='' key=''
    while [[ "${1:-}" == --* ]]; do
        case "$1" in
            --certificate) certificate=$2 ;;
            --key) key=$2 ;;
            *) fail "$usage" ;;
        esac
        shift 2
    done
    [ $# -ge 2 ] || fail "$usage"
    dir=$1 address=$2
    shift 2
    go_tool fake-gcs-server "$package"
    own_folder "$dir"
    mkdir -p "$dir/data"
    if [ -z "$certificate" ]; then
        write_certificate
        certificate=$dir/certificate.pem key=$dir/key.pem
    fi
    ours "$dir" server || free_port >"$dir/port"
    run_detached "$dir" server "$tools/bin/fake-gcs-server" -scheme http -host 127.0.0.1 -port "$(cat "$dir/port")" \
        -public-host storage.googleapis.com -external-url https://storage.googleapis.com \
        -backend filesystem -filesystem-root "$dir/data" -log-level error
    run_detached "$dir" front node "$here/gcsFront.mjs" "$dir" "$address" "$certificate" "$key" "$(cat "$dir/port")"
    wait_ready "$dir" front ready
    make_buckets "$@"
    echo "hosts=$(IFS=,; echo "${names[*]}")"
    echo "ca=$certificate"
    echo "serviceaccount=$dir/writer.json"
    echo "readerserviceaccount=$dir/reader.json"
}

case "${1:-}" in
    start) shift; start "$@" ;;
    down | stop) [ $# -eq 2 ] || fail "$usage"; end_or_stop "$1" "$2" ;;
    *) fail "$usage" ;;
esac
