#!/usr/bin/env bash
# Photographs threads of the sandbox with headless Chromium, for the documentation.
#   contrib/sandbox/screenshots.sh FOLDER
# Needs build/dbconn, build/dbconn-sandbox, curl and Chromium (make screenshots sees to all).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
out=$1
mkdir -p "$out"

work=$(mktemp -d)
bot='' sandbox=''
stop() {
    [ -n "$bot" ] && kill "$bot" 2>/dev/null && wait "$bot" 2>/dev/null
    [ -n "$sandbox" ] && kill "$sandbox" 2>/dev/null && wait "$sandbox" 2>/dev/null
    bot='' sandbox=''
}
trap 'stop || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# Runs "$@" every 100 ms until it succeeds, for at most 60 s.
wait_for() {
    for _ in $(seq 600); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "screenshots: this did not come true: $*" >&2
    exit 1
}
ask() { curl -sS --noproxy '*' --max-time 5 "$@"; }
bot_is_connected() { [ "$(ask "$SANDBOX_CONTROL/sockets")" != '[]' ]; }
channel_shows() { ask "$SANDBOX_CONTROL/transcript" | grep -q "$1"; }
job_has_ended() { grep -q 'event=job.end ' "$work/bot.log"; }

# start SCENARIO FAULTS CONFIG: the sandbox, the bot, and the command typed.
start() {
    rm -f "$work"/{line,env,dbconn.db*}
    "$build/dbconn-sandbox" --env-file "$work/env" --faults "$2" \
        "contrib/sandbox/scenarios/$1.json" >"$work/line" &
    sandbox=$!
    wait_for test -s "$work/line"
    set -a
    # shellcheck disable=SC1091
    . "$work/env"
    set +a
    ask -d "$3" "$SANDBOX_CONTROL/config" >/dev/null
    DBCONN_DATABASE_URL=sqlite:$work/dbconn.db XDG_STATE_HOME=$work "$build/dbconn" serve \
        >"$work/bot.log" 2>&1 &
    bot=$!
    wait_for bot_is_connected
    ask -d "{\"text\":\"$SANDBOX_SHORT_ID\"}" "$SANDBOX_CONTROL/command" >/dev/null
}

# photograph NAME HEIGHT PARTS [DARK]
photograph() {
    chromium --headless --no-sandbox --disable-gpu --no-proxy-server --hide-scrollbars \
        --virtual-time-budget=3000 --user-data-dir="$work/browser" --window-size="820,$2" \
        ${4:+--blink-settings=preferredColorScheme=0} --screenshot="$out/$1.png" \
        "$SANDBOX_CONTROL/thread.html?show=$3" >"$work/chromium.log" 2>&1
    echo "$out/$1.png"
}

slow='[{"latency_ms":1500}]'
start deployment-config-change "{\"sentry\":$slow,\"github\":$slow,\"elasticsearch\":$slow}" '{}'
wait_for channel_shows '✓ 3'
photograph running 620 root,plan
wait_for job_has_ended
photograph answer 1290 root,answer
stop

# A workspace that has no chart block yet: the image.
start deployment-config-change '{}' '{"refused_blocks":"data_visualization"}'
wait_for job_has_ended
photograph image-dark 560 image dark
