#!/usr/bin/env bash
# One incident from the slash command to the diagnosis, in the terminal: the sandbox plays Slack,
# Sentry, GitHub and Elasticsearch, `dbconn serve` is the real program.
#   contrib/sandbox/demo.sh [scenario]      default: deployment-config-change
# Needs build/dbconn and build/dbconn-sandbox (make demo builds them) and curl.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
name=${1:-deployment-config-change}
scenario=contrib/sandbox/scenarios/$name.json
longest_s=50 # give up after so long
# Each backend takes as long to answer as real ones do.
pace='{"latency_ms":250,"jitter_ms":250}'

if [ ! -f "$scenario" ]; then
    echo "There is no scenario \"$name\". There are:" >&2
    for file in contrib/sandbox/scenarios/*.json; do echo "  $(basename "$file" .json)" >&2; done
    exit 2
fi

work=$(mktemp -d)
bot='' sandbox=''
leave() {
    [ -n "$bot" ] && kill "$bot" 2>/dev/null && wait "$bot" 2>/dev/null
    [ -n "$sandbox" ] && kill "$sandbox" 2>/dev/null && wait "$sandbox" 2>/dev/null
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

give_up() {
    echo "demo: $1" >&2
    [ -s "$work/bot.log" ] && tail -n 20 "$work/bot.log" >&2
    exit 1
}

# Runs "$@" every 50 ms until it succeeds, for at most 10 s.
wait_for() {
    for _ in $(seq 200); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}
ask() { curl -sS --noproxy '*' --max-time 5 "$@"; }
bot_is_connected() { [ "$(ask "$SANDBOX_CONTROL/sockets" 2>/dev/null)" != '[]' ]; }

"$build/dbconn-sandbox" --env-file "$work/env" \
    --faults "{\"sentry\":$pace,\"github\":$pace,\"elasticsearch\":$pace}" "$scenario" >"$work/line" &
sandbox=$!
wait_for test -s "$work/line" || give_up "the sandbox did not start"
set -a
# shellcheck disable=SC1091
. "$work/env"
set +a

DBCONN_DATABASE_URL=sqlite:$work/dbconn.db XDG_STATE_HOME=$work "$build/dbconn" serve >"$work/bot.log" 2>&1 &
bot=$!
wait_for bot_is_connected || give_up "dbconn did not connect to the sandbox"

printf '\n#incidents  rainer types:  /dbconn %s\n\n' "$SANDBOX_SHORT_ID"
ask -d "{\"text\":\"$SANDBOX_SHORT_ID\"}" "$SANDBOX_CONTROL/command" >/dev/null

begun=$SECONDS ended=''
while [ $((SECONDS - begun)) -lt $longest_s ]; do
    news=$(ask "$SANDBOX_CONTROL/news?times=0")
    [ -n "$news" ] && printf '%s\n' "$news"
    # What the job said last may arrive after its end is logged: look once more, then stop.
    [ -z "$news" ] && [ -n "$ended" ] && break
    grep -q 'event=job.end ' "$work/bot.log" && ended=yes
    kill -0 "$bot" 2>/dev/null || give_up "dbconn ended"
    sleep 0.2
done

verdict=$(grep -o 'event=job.diagnosis .*' "$work/bot.log" | tail -n 1 || true)
[ -n "$verdict" ] || give_up "no diagnosis was reached"
cause=${verdict#*cause=\"} confidence=${verdict#*confidence=\"}
printf '\nDiagnosis: %s (confidence: %s), %s s after the command was typed.\n' \
    "${cause%%\"*}" "${confidence%%\"*}" "$((SECONDS - begun))"
