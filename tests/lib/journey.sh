# The frame of a journey in tests/e2e, to be sourced by its first lines with the journey's own
# arguments: an installation (countersign.sh) in $dir, with the daemons of $build, that is stopped and
# removed at the end; a daemon that ends badly, or leaks, fails the journey.

. "$(dirname "${BASH_SOURCE[0]}")/countersign.sh"
[ $# -eq 1 ] || { echo "Usage: $0 BUILD"; exit 2; }
cs_need redis-server redis-cli curl jq setpriv

build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
bad=0

fail() {
    echo "FAILED: $*"
    bad=1
}

show() { # file...
    local file
    for file in "$@"; do
        [ -s "$file" ] || continue
        echo "--- ${file##*/}"
        tail -n 40 "$file"
    done
}

journey_end() {
    [ $? -ne 77 ] || { rm -rf "$dir"; exit 77; } # skipped before anything was started
    trap - EXIT
    cs_stop || bad=1
    ! grep -sE 'Sanitizer|runtime error|left open' "$dir"/{authd,registrar}.log || bad=1
    [ $bad -eq 0 ] || show "$dir"/{authd,registrar}.log
    rm -rf "$dir"
    exit $bad
}
trap journey_end EXIT
trap 'bad=1; exit' INT TERM

# Runs what is given until it ends with 0, for so many seconds at most.
within() { # seconds command...
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# In the background, dying with the journey.
spawn() { # command...
    setpriv --pdeathsig KILL "$@" &
}

contacts() { # user; how many bindings it has
    "$CSCTL" bindings "$1" -o json 2>>"$dir/csctl.log" | jq length
}

has_contacts() { # user n
    [ "$(contacts "$1")" = "$2" ]
}

# The number that a metric of a daemon shows, 0 when it shows none: metric 2 'name{label="value"}'.
metric() { # port-offset name
    curl -fsS -m 2 "http://127.0.0.1:$((CS_PORT + $1))/metrics" 2>>"$dir/csctl.log" |
        awk -v name="$2" '$1 == name { n = $2 } END { print n + 0 }'
}
