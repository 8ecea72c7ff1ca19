#!/usr/bin/env bash
# Gathers the files of the container image as the Containerfile does, and uses them in a folder as the
# image's user: every library is there, the certificates are found, the bot answers and its probes too.
# Reads the configuration of the Kubernetes example. As root (chroot); needs no container engine.
# Environment: DBCONN, the program; SANDBOX, the sandbox's.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${DBCONN:?}" "${SANDBOX:?}"
# shellcheck source=tests/package/common.sh
. tests/package/common.sh
need_root
image=$work/image

contrib/container/collect.sh "$DBCONN" "$image"
# What an engine adds by itself.
mkdir "$image/dev"
mknod -m 0666 "$image/dev/null" c 1 3
mknod -m 0666 "$image/dev/urandom" c 1 9

run() { # [VARIABLE=VALUE...] -- ARGUMENTS
    local variables=() become=()
    # In the background the shell becomes the program, so that a signal reaches it.
    [ "$BASHPID" = "$$" ] || become=(exec)
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    "${become[@]}" env -i PATH="$PATH" STATE_DIRECTORY=/var/lib/dbconn "${variables[@]}" \
        chroot --userspec=65532:65532 "$image" /usr/bin/dbconn "$@"
}

run -- --version >"$work/out"
ok "starts as user 65532: $(cat "$work/out")"

# ---- the Kubernetes example ----
secrets=$image/run/secrets/dbconn
mkdir -p "$secrets" "$image/etc/dbconn"
sed -n '/^  dbconn.json: |$/,/^---$/{s/^    //p}' contrib/kubernetes/dbconn.yaml >"$image/etc/dbconn/dbconn.json"
start_sandbox
put() {
    printf '%s' "$2" >"$secrets/$1"
    chown 0:65532 "$secrets/$1"
    chmod 0440 "$secrets/$1"
}
put slack_app_token "$SLACK_APP_TOKEN"
put slack_bot_token "$SLACK_BOT_TOKEN"
put sentry_auth_token "$SENTRY_AUTH_TOKEN"
put github_token "$GITHUB_TOKEN"
put elasticsearch_api_key "$ELASTICSEARCH_API_KEY"
run -- config print --config /etc/dbconn/dbconn.json >"$work/out" 2>&1 ||
    fail "the Kubernetes example's configuration cannot be read" "$work/out"
expect "its secrets" "$work/out" 'file of its own'
ok "the Kubernetes example's configuration and secrets can be read"

# libpq is there: what fails is the connection, not the library.
run DBCONN_DATABASE_URL=postgresql://nobody@127.0.0.1:1/none -- check --config /etc/dbconn/dbconn.json \
    >"$work/out" 2>&1 || true
expect "PostgreSQL's client library" "$work/out" 'port 1 failed'
expect "the certificates" "$work/out" 'playbook database-connection-refused'
ok "PostgreSQL's client library and the certificates are found"

# ---- the bot and its probes ----
run "SLACK_API_URL=$SLACK_API_URL" "SENTRY_URL=$SENTRY_URL" "SENTRY_ORG=$SENTRY_ORG" \
    "GITHUB_API_URL=$GITHUB_API_URL" "ELASTICSEARCH_URL=$ELASTICSEARCH_URL" 'DBCONN_ACCESS_ALLOW=*' \
    'DBCONN_DATABASE_URL=sqlite:/var/lib/dbconn/dbconn.db' 'DBCONN_METRICS_LISTEN=0.0.0.0:0' \
    -- serve --config /etc/dbconn/dbconn.json >"$work/bot.log" 2>&1 &
bot=$!
wait_for bot_is_connected || fail "dbconn serve did not connect" "$work/bot.log"
port=$(sed -n 's/.*event=metrics.listen .*port=//p' "$work/bot.log")
is_ready() { ask --fail "http://127.0.0.1:$port/readyz" >/dev/null 2>&1; }
wait_for is_ready || fail "/readyz does not say that it is ready" "$work/bot.log"
ask --fail "http://127.0.0.1:$port/healthz" >/dev/null || fail "/healthz says that it is not well"
type_command
expect "dbconn serve" "$work/bot.log" 'cause="database_restart"'
stop_bot
ok "the bot answers a command, /readyz and /healthz"

echo "Image: $(($(du -sk "$image" | cut -f 1) / 1024)) MiB in $(find "$image" -type f | wc -l) files."
echo "$passed passed, 0 failed"
