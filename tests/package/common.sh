# shellcheck shell=bash
# What the tests of packages share: a folder to work in, results, the sandbox and the bot. Sourced from
# the top of the tree, with SANDBOX set.
passed=0 sandbox='' bot=''
check=$(basename "$0" .sh)
work=$(mktemp -d)

leave() {
    # Either may have ended by itself.
    if [ -n "$bot" ]; then kill "$bot" 2>/dev/null || true; fi
    if [ -n "$sandbox" ]; then kill "$sandbox" 2>/dev/null || true; fi
    wait || true
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

need_root() {
    [ "$(id -u)" -eq 0 ] && return
    echo "$check: chroot needs root" >&2
    exit 2
}
fail() { # WHAT [LOG...]
    echo "$check: $1" >&2
    shift
    for log in "$@"; do tail -n 30 "$log" >&2; done
    echo "$passed passed, 1 failed"
    exit 1
}
ok() {
    passed=$((passed + 1))
    echo "ok: $1"
}
expect() { # WHAT FILE TEXT: the file holds the text
    grep -qF -- "$3" "$2" || fail "$1: no \"$3\"" "$2"
}

# Runs "$@" every 100 ms until it succeeds, for at most 60 s.
wait_for() {
    for _ in $(seq 600); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

# The services of an incident, on this machine's loopback; their addresses and tokens become variables.
start_sandbox() {
    # shellcheck disable=SC2153 # the program's path, from the environment
    "$SANDBOX" --env-file "$work/env" contrib/sandbox/scenarios/database-restart.json >"$work/line" &
    sandbox=$!
    wait_for test -s "$work/line" || fail "the sandbox did not start"
    set -a
    # shellcheck disable=SC1091 # written by the sandbox just now
    . "$work/env"
    set +a
}
ask() { curl -sS --noproxy '*' --max-time 5 "$@"; }
bot_is_connected() { [ "$(ask "$SANDBOX_CONTROL/sockets" 2>/dev/null)" != '[]' ]; }

# Somebody types the command; waits until its job has ended.
type_command() {
    ask -d "{\"text\":\"$SANDBOX_SHORT_ID\"}" "$SANDBOX_CONTROL/command" >/dev/null
    wait_for grep -q 'event=job.end ' "$work/bot.log" || fail "the bot did not end the job" "$work/bot.log"
}

# The process that is waited for is chroot's, which became the program.
stop_bot() {
    local code=0
    kill -TERM "$bot"
    wait "$bot" || code=$?
    bot=''
    [ "$code" -eq 0 ] || fail "dbconn serve ended with $code after SIGTERM" "$work/bot.log"
}
