# An installation of a test's own, to be sourced by bash: private Redis, authd and registrar from a
# build folder, on loopback, as whoever runs the test. The daemons die with the test.
#
#   . "$(dirname "$0")/../lib/countersign.sh"
#   trap cs_stop EXIT
#   cs_ports
#   cs_start "$(mktemp -d)" BUILD "$CS_FREE"
#   cs_user 1001
#   "$CSCTL" bindings
#
# A test that wants another configuration defines cs_authd_yaml or cs_registrar_yaml anew after
# sourcing; they print what the daemon shall read.

CS_DOMAIN=${CS_DOMAIN:-example.test}
CS_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
declare -A CS_PID=()

# Ends the test as skipped where a program it needs is not installed.
cs_need() { # program...
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        echo "skipped: $program is not installed"
        exit 77
    done
}

# Puts the first of 16 ports into CS_FREE that nobody listens at, over UDP and TCP, and no other test is given while
# this one lives (tests/e2e/lib/ports.py).
cs_ports() {
    local port busy lock last locks=/tmp/countersign-ports-$(id -u)
    read -r last _ </proc/sys/net/ipv4/ip_local_port_range
    mkdir -p "$locks"
    while :; do
        CS_FREE=$((10000 + RANDOM % ((last - 10000) / 16) * 16)) busy=
        exec {lock}>"$locks/$CS_FREE"
        flock -n "$lock" || busy=1
        for port in $(seq "$CS_FREE" $((CS_FREE + 15))); do
            ! grep -qsi ":$(printf %04X "$port") " /proc/net/{udp,udp6,tcp,tcp6} || busy=1
        done
        [ -n "$busy" ] || break
        exec {lock}>&-
    done
}

cs_authd_yaml() {
    cat <<YAML
listen: { socket: auth.sock, users: ["$(id -u)"] }
redis: { socket: redis.sock, user: authd, password_file: authd.password }
nonce_key_file: nonce.key
seal_key_file: seal.key
http: { listen: "127.0.0.1:$((CS_PORT + 1))", admin_token_file: admin.token }
audit: { file: audit.log }
realms:
  - { name: "$CS_DOMAIN" }
peer_groups:
  - name: phones
    require: { all_of: [digest] }
    digest: { realm: "$CS_DOMAIN" }
YAML
}

cs_registrar_yaml() {
    cat <<YAML
node: e2e
authd: { socket: auth.sock }
redis: { socket: redis.sock, user: registrar, password_file: registrar.password }
http: { listen: "127.0.0.1:$((CS_PORT + 2))" }
flow_key_file: flow.key
domains: ["$CS_DOMAIN"]
listeners:
  - { name: udp, transport: udp, address: "127.0.0.1:$CS_PORT" }
  - { name: tcp, transport: tcp, address: "127.0.0.1:$CS_PORT" }
YAML
}

# To be called before cs_start: the registrar speaks TLS as well, at $CS_TLS, and WebSocket, at $CS_WSS and $CS_WS,
# to who trusts $CS_CA.
cs_with_tls() {
    eval "cs_registrar_plain_yaml() $(declare -f cs_registrar_yaml | tail -n +2)"
    cs_registrar_yaml() {
        { "$CSCTL" ca init "$CS_DIR/ca" && "$CSCTL" ca issue "$CS_DIR/ca" "sip:$CS_DOMAIN" "$CS_DOMAIN" 127.0.0.1 \
            --out "$CS_DIR/sip"; } >>"$CS_DIR/registrar.log" 2>&1
        cs_registrar_plain_yaml
        echo "  - { name: tls, transport: tls, address: \"$CS_TLS\","
        echo "      tls: { certificates: [{ certificate_file: sip.crt, key_file: sip.key }] } }"
        echo "  - { name: wss, transport: wss, address: \"$CS_WSS\", websocket: { origins: [any], path: /sip },"
        echo "      tls: { certificates: [{ certificate_file: sip.crt, key_file: sip.key }] } }"
        echo "  - { name: ws, transport: ws, address: \"$CS_WS\", websocket: { origins: [any] } }"
    }
}

cs_log() { # name
    echo "--- $1: last lines of its log"
    tail -n 40 "$CS_DIR/$1.log"
}

# Asks Redis as its operator.
cs_redis() { # command...
    REDISCLI_AUTH=$(cat "$CS_DIR/operator.password") redis-cli -s "$CS_DIR/redis.sock" --user operator "$@"
}

cs_is_ready() { # name
    case $1 in
    redis) [ "$(cs_redis ping 2>&1)" = PONG ] ;;
    authd) curl -fsS -m 2 -o "$CS_DIR/ready" "http://127.0.0.1:$((CS_PORT + 1))/readyz" 2>&1 ;;
    registrar) curl -fsS -m 2 -o "$CS_DIR/ready" "http://127.0.0.1:$((CS_PORT + 2))/readyz" 2>&1 ;;
    esac >/dev/null
}

# Starts redis, authd or registrar and waits until it is ready.
cs_run() { # name
    local name=$1 command
    case $name in
    redis) command=(redis-server --port 0 --unixsocket "$CS_DIR/redis.sock" --dir "$CS_DIR"
        --appendonly yes --appendfsync no --save '' --daemonize no --aclfile "$CS_DIR/users.acl") ;;
    authd | registrar) command=("$CS_BUILD/$name/$name" --config "$CS_DIR/$name.yaml") ;;
    esac
    setpriv --pdeathsig KILL "${command[@]}" >>"$CS_DIR/$name.log" 2>&1 </dev/null &
    CS_PID[$name]=$!
    for _ in $(seq 150); do # a registrar that runs has to find it, too
        cs_is_ready "$name" && { [ -z "${CS_PID[registrar]:-}" ] || cs_is_ready registrar; } && return 0
        kill -0 "${CS_PID[$name]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$name does not get ready"
    cs_log "$name"
    return 1
}

# Leaves what it has counted for tests/metrics.
cs_measure() { # name
    local port
    case $1 in authd) port=$((CS_PORT + 1)) ;; registrar) port=$((CS_PORT + 2)) ;; *) return 0 ;; esac
    [ -z "${CS_MEASURED:-}" ] ||
        curl -fsS -m 2 -o "$CS_MEASURED/$1-$EPOCHREALTIME" "http://127.0.0.1:$port/metrics" 2>/dev/null || return 0
}

# Stops one of them: 0 when it ended as it should. By signal KILL that is any way.
cs_end() { # name [signal]
    local name=$1 signal=${2:-TERM} status=0 pid=${CS_PID[$1]:-}
    [ -n "$pid" ] || return 0
    unset "CS_PID[$name]"
    cs_measure "$name"
    kill "-$signal" "$pid" 2>/dev/null
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then
        echo "$name does not stop"
        kill -KILL "$pid"
        signal=KILL status=1
    fi
    wait "$pid" 2>/dev/null || { [ "$signal" = KILL ] || status=$?; }
    [ "$status" -eq 0 ] || { echo "$name ended with status $status"; cs_log "$name"; }
    return "$status"
}

# DIR is made if it is not there, and kept; PORT is the first of those that cs_ports found free.
cs_start() { # dir build port
    CS_DIR=$1 CS_BUILD=$2 CS_PORT=$3
    CSCTL=$CS_BUILD/common/tools/csctl
    CS_SIP=127.0.0.1:$CS_PORT
    CS_TLS=127.0.0.1:$((CS_PORT + 5)) CS_WSS=127.0.0.1:$((CS_PORT + 12)) CS_WS=127.0.0.1:$((CS_PORT + 13))
    CS_CA=$CS_DIR/ca/ca.crt
    mkdir -p "$CS_DIR"
    export CSCTL_URL=http://127.0.0.1:$((CS_PORT + 1)) CSCTL_TOKEN_FILE=$CS_DIR/admin.token
    (
        umask 077
        "$CS_BUILD/authd/authd" --make-keys "$CS_DIR" >"$CS_DIR/authd.log" 2>&1 &&
            "$CS_TOP/deploy/redis/make-users" "$CS_DIR" >>"$CS_DIR/authd.log" 2>&1 &&
            cs_authd_yaml >"$CS_DIR/authd.yaml" && cs_registrar_yaml >"$CS_DIR/registrar.yaml"
    ) || { cs_log authd; return 1; }
    cs_run redis && cs_run authd && cs_run registrar
}

# Stops what runs, in reverse order. 1 when a daemon ended badly: with sanitizers that is a leak.
cs_stop() {
    local name failed=0
    for name in registrar authd redis; do
        cs_end "$name" || failed=1
    done
    return $failed
}

# Creates a user; the password, random if not given, stands in $CS_DIR/NAME.password.
cs_user() { # name [password]
    (umask 077 && echo "${2:-$(head -c 18 /dev/urandom | base64)}" >"$CS_DIR/$1.password")
    "$CSCTL" user add "$1" --password-file "$CS_DIR/$1.password" >"$CS_DIR/csctl.log" 2>&1 ||
        { echo "user $1 cannot be made:"; cat "$CS_DIR/csctl.log"; return 1; }
}
