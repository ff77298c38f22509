#!/usr/bin/env bash
# Runs a real OpenStack Swift (Debian's packages) on loopback, for tests.
#
#   swift-server.sh start DIR [PORT]   start in DIR, proxy on PORT (default: a free one), and print
#                                      authurl=, username=, password= when it answers
#   swift-server.sh stop DIR           end its servers and delete DIR
#
# Needs Debian, root where the packages are not installed yet, and a file system under DIR with user extended
# attributes.
# Servers with different DIRs run side by side; /etc/swift is neither read nor written.
set -euo pipefail
unset CDPATH

packages=(swift-proxy swift-account swift-container swift-object)
user=test:tester
password=testing

fail() {
    echo "swift-server.sh: $*" >&2
    exit 1
}

usage() {
    fail "usage: swift-server.sh start DIR [PORT] | swift-server.sh stop DIR"
}

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] || fail "${missing[*]} not installed, and only root can install them"
    # One installer at a time: two test runs may start together.
    (
        flock 9
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >&2
    ) 9>/tmp/swift-server-apt.lock || fail "could not install ${missing[*]}; run apt-get update and try again"
}

check_xattr() {
    /usr/bin/python3 - "$1" <<'PY' || fail "the file system of $1 has no user extended attributes, which the object server stores its metadata in; give a directory on ext4 or xfs"
import os, sys, tempfile
with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as f:
    os.setxattr(f.name, "user.swift.metadata", b"x" * 3000)
PY
}

write_config() {
    local dir=$1 proxy=$2 object=$3 container=$4 account=$5

    cat >"$dir/swift.conf" <<CONF
[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = default
default = yes
CONF

    # tempauth keeps its tokens in memcached. The proxy here is one process, so a dictionary in it does the
    # same, and no memcached has to be installed and run.
    mkdir "$dir/lib"
    cat >"$dir/lib/memory_cache.py" <<'PY'
import json
import time


class MemoryCache:
    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        value, expires = self.values.get(key, (None, 0))
        if value is None or (expires and expires < time.time()):
            return None
        return json.loads(value)

    def set(self, key, value, time=0, **_):
        self.values[key] = (json.dumps(value), self._deadline(time))

    def incr(self, key, delta=1, time=0, **_):
        value = max(0, int(self.get(key) or 0) + delta)
        self.set(key, value, time)
        return value

    def decr(self, key, delta=1, time=0, **_):
        return self.incr(key, -delta, time)

    def delete(self, key, **_):
        self.values.pop(key, None)

    @staticmethod
    def _deadline(seconds):
        return time.time() + seconds if seconds else 0


def filter_factory(global_conf, **local_conf):
    cache = MemoryCache()

    def factory(app):
        def handle(env, start_response):
            env["swift.cache"] = cache
            return app(env, start_response)
        return handle
    return factory
PY

    # Timeouts are long, for busy machines: there is no other copy to turn to, and no daemon here that would bring
    # a listing up to date later.
    cat >"$dir/proxy-server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $proxy
swift_dir = $dir
user = $(id -un)
workers = 0
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk tempurl tempauth copy container_quotas slo dlo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 10
node_timeout = 60
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:container_quotas]
use = egg:swift#container_quotas
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
paste.filter_factory = memory_cache:filter_factory
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = $password .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
CONF

    local server port
    for server in object:$object container:$container account:$account; do
        port=${server#*:}
        server=${server%:*}
        cat >"$dir/$server-server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
swift_dir = $dir
devices = $dir/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
user = $(id -un)
workers = 0
log_level = WARNING
[pipeline:main]
pipeline = $server-server
[app:$server-server]
use = egg:swift#$server
conn_timeout = 10
node_timeout = 60
container_update_timeout = 60
CONF
    done

    # One copy of everything on one device. Ring files are made in one Python process: swift-ring-builder
    # would be started nine times.
    /usr/bin/python3 - "$dir" "object:$object" "container:$container" "account:$account" <<'PY'
import os, sys
from swift.common.ring import RingBuilder
directory = sys.argv[1]
os.makedirs(os.path.join(directory, "devices", "d1"))
for server in sys.argv[2:]:
    name, port = server.split(":")
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1"})
    builder.rebalance()
    builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))
PY
}

# Swift's servers have the path of swift.conf as a constant. It is set before anything reads it.
serve='
import sys
from swift.common import utils
utils.SWIFT_CONF_FILE = sys.argv[1] + "/swift.conf"
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi("%s/%s.conf" % (sys.argv[1], sys.argv[2]), sys.argv[2], verbose=True))
'

start() {
    local dir=$1 port=${2:-0} server
    [ ! -e "$dir/swift.conf" ] || fail "$dir already holds a server; stop it first"
    install_packages
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    check_xattr "$dir"

    local ports
    ports=$(/usr/bin/python3 - "$port" <<'PY'
import socket, sys
sockets = [socket.socket() for _ in range(4)]
for i, s in enumerate(sockets):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[1]) if i == 0 else 0))
print(*[s.getsockname()[1] for s in sockets])
PY
    ) || fail "port $port is taken"
    read -ra ports <<<"$ports"
    write_config "$dir" "${ports[@]}"

    for server in account container object proxy; do
        PYTHONPATH="$dir/lib" setsid /usr/bin/python3 -c "$serve" "$dir" "$server-server" </dev/null >"$dir/$server.log" 2>&1 &
        echo $! >>"$dir/pids"
    done

    if ! /usr/bin/python3 - "http://127.0.0.1:${ports[0]}/auth/v1.0" "$user" "$password" <<'PY'; then
import sys, time, urllib.request
auth, user, password = sys.argv[1:]
deadline = time.time() + 60
while True:
    try:
        request = urllib.request.Request(auth, headers={"X-Auth-User": user, "X-Auth-Key": password})
        with urllib.request.urlopen(request, timeout=5) as reply:
            headers = reply.headers
        # Through the proxy to each of the three servers behind it.
        container = headers["X-Storage-Url"] + "/started"
        for method, url in [("PUT", container), ("PUT", container + "/o"), ("DELETE", container + "/o"), ("DELETE", container)]:
            token = {"X-Auth-Token": headers["X-Auth-Token"], "Content-Length": "0"}
            urllib.request.urlopen(urllib.request.Request(url, method=method, headers=token), timeout=5).close()
        break
    except OSError as error:
        if time.time() > deadline:
            sys.exit("no answer in 60 s: %s" % error)
        time.sleep(0.1)
PY
        tail -n 20 "$dir"/*.log >&2
        stop "$dir"
        fail "Swift did not start"
    fi

    echo "authurl=http://127.0.0.1:${ports[0]}/auth/v1.0"
    echo "username=$user"
    echo "password=$password"
}

# ours says whether a process id still belongs to a server of this directory: ids are used again.
ours() {
    grep -qzFx -- "$2" "/proc/$1/cmdline" 2>/dev/null
}

stop() {
    local dir pid i
    [ -e "$1/swift.conf" ] || fail "$1 holds no server"
    dir=$(cd "$1" && pwd)
    if [ -e "$dir/pids" ]; then
        while read -r pid; do
            ours "$pid" "$dir" && kill "$pid" 2>/dev/null || true
        done <"$dir/pids"
        while read -r pid; do
            for ((i = 0; i < 50; i++)); do
                ours "$pid" "$dir" || break
                sleep 0.1
            done
            ours "$pid" "$dir" && kill -9 "$pid" 2>/dev/null || true
        done <"$dir/pids"
    fi
    rm -rf "$dir"
}

case "${1:-}" in
start) [ $# -ge 2 ] && [ $# -le 3 ] || usage; start "$2" "${3:-}" ;;
stop) [ $# -eq 2 ] || usage; stop "$2" ;;
*) usage ;;
esac
