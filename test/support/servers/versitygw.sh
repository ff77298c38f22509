#!/usr/bin/env bash
# Runs a real S3 server (Versity S3 Gateway on a folder), for tests.
#
#   versitygw.sh start DIR ADDRESS:PORT BUCKET...   start in DIR, make the buckets, and print
#       endpoint=, region=, accesskey=, secretkey=, and readeraccesskey=, readersecretkey= of a
#       user who may only list and read the buckets
#   versitygw.sh down DIR                           end the server and keep its data
#   versitygw.sh stop DIR                           end the server and delete DIR
#
# Starting what runs only makes the buckets that are missing. The file system of DIR needs user
# extended attributes. Servers with different DIRs run side by side.
# What "$dir/keys" assigns:
# shellcheck disable=SC2154
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

package=github.com/versity/versitygw/cmd/versitygw@v1.8.0
region=us-east-1

usage="usage: versitygw.sh start DIR ADDRESS:PORT BUCKET... | versitygw.sh down|stop DIR"

s3() {
    curl --silent --show-error --fail --config - "$@" <<CURL
user = "$accesskey:$secretkey"
aws-sigv4 = "aws:amz:$region:s3"
header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"
CURL
}

write_keys() {
    [ -e "$dir/keys" ] && return
    (
        umask 077
        cat >"$dir/keys" <<KEYS
accesskey=root$(random_word 8)
secretkey=$(random_word 32)
readeraccesskey=reader$(random_word 8)
readersecretkey=$(random_word 32)
KEYS
    )
}

make_bucket() {
    local policy
    s3 --request PUT "$endpoint/$1" >/dev/null 2>&1 || s3 --head "$endpoint/$1" >/dev/null || fail "could not make bucket $1"
    policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["'$readeraccesskey'"]},
        "Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::'$1'","arn:aws:s3:::'$1'/*"]}]}'
    s3 --request PUT --data-binary "$policy" "$endpoint/$1?policy=" >/dev/null || fail "could not set the policy of bucket $1"
}

make_reader() {
    [ -e "$dir/reader" ] && return
    ADMIN_ACCESS_KEY=$accesskey ADMIN_SECRET_KEY=$secretkey ADMIN_ENDPOINT_URL=$endpoint ADMIN_REGION=$region \
        "$tools/bin/versitygw" admin create-user --access "$readeraccesskey" --secret "$readersecretkey" --role user >&2 ||
        fail "could not make the reader"
    touch "$dir/reader"
}

start() {
    dir=$1 endpoint=http://$2
    local address=$2 bucket
    shift 2
    go_tool versitygw "$package"
    own_folder "$dir"
    mkdir -p "$dir/data" "$dir/iam"
    write_keys
    # shellcheck source=/dev/null
    . "$dir/keys"
    ROOT_ACCESS_KEY=$accesskey ROOT_SECRET_KEY=$secretkey run_detached "$dir" versitygw \
        "$tools/bin/versitygw" --quiet --port "$address" --region "$region" --iam-dir "$dir/iam" --iam-cache-disable posix "$dir/data"
    wait_ready "$dir" versitygw s3 "$endpoint/"
    make_reader
    for bucket; do make_bucket "$bucket"; done
    echo "endpoint=$endpoint"
    echo "region=$region"
    cat "$dir/keys"
}

case "${1:-}" in
    start) [ $# -ge 3 ] || fail "$usage"; shift; start "$@" ;;
    down | stop) [ $# -eq 2 ] || fail "$usage"; end_or_stop "$1" "$2" ;;
    *) fail "$usage" ;;
esac
