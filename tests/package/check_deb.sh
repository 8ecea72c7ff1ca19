#!/usr/bin/env bash
# Installs the package of `make deb` on a clean Debian 12 in a folder of its own, and uses it there: the
# commands without a configuration, a whole investigation and the bot against the sandbox, the purge.
# As root (debootstrap, chroot). Packages come from the mirror that this machine's apt uses.
# Environment: BUILD, where the package is; SANDBOX, the sandbox's program; DEBIAN_MIRROR, another mirror.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${BUILD:?}" "${SANDBOX:?}"
# shellcheck source=tests/package/common.sh
. tests/package/common.sh
need_root
package=$(find "$BUILD/deb" -maxdepth 1 -name 'dbconn_*.deb')
root=$work/debian

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"; }
# shellcheck disable=SC2016 # apt's own placeholder
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Origin: Debian' 'Codename: bookworm' | head -n 1)}
[ -n "$mirror" ] || fail "apt on this machine names no mirror of Debian 12: set DEBIAN_MIRROR"
proxy=''
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -n "$proxy" ] && export http_proxy=$proxy

begun=$SECONDS
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    fail "debootstrap did not come to its end" "$work/debootstrap.log"
clean_kib=$(du -sk "$root" | cut -f 1) clean_n=$(inside dpkg-query -W | wc -l)
echo "Clean Debian 12: $clean_n packages, $((clean_kib / 1024)) MiB, in $((SECONDS - begun)) s."

# ---- install ----
begun=$SECONDS
cp "$package" "$root/root/dbconn.deb"
inside ${http_proxy:+http_proxy="$http_proxy"} sh -c \
    'apt-get update -qq && apt-get install -y -qq --no-install-recommends /root/dbconn.deb' \
    >"$work/install.log" 2>&1 || fail "the package cannot be installed" "$work/install.log"
inside apt-get clean
installed_kib=$(du -sk "$root" | cut -f 1)
echo "Installed: $(($(inside dpkg-query -W | wc -l) - clean_n)) packages more, in $((SECONDS - begun)) s."
ok "installs with its dependencies from Debian 12 alone"

inside dbconn --version >"$work/out"
# shellcheck disable=SC2016 # dpkg's own placeholder
expect "the version" "$work/out" "dbconn $(inside dpkg-query -W -f '${source:Upstream-Version}' dbconn)"
ok "dbconn --version: $(cat "$work/out")"

for path in /etc/dbconn/dbconn.json /lib/systemd/system/dbconn.service /usr/lib/sysusers.d/dbconn.conf \
    /usr/share/bash-completion/completions/dbconn /usr/share/zsh/vendor-completions/_dbconn \
    /usr/share/fish/vendor_completions.d/dbconn.fish; do
    [ -f "$root$path" ] || fail "$path is not there"
done
# Debian's minimal variant is told to leave manual pages out, so the package itself is asked for them.
dpkg-deb --contents "$package" >"$work/out"
for page in man1/dbconn.1 man5/dbconn.json.5 man5/dbconn-playbook.5; do
    expect "the manual pages" "$work/out" "/usr/share/man/$page.gz"
done
owner=$(inside stat -c '%U:%G %a' /var/lib/dbconn)
[ "$owner" = 'dbconn:dbconn 700' ] || fail "/var/lib/dbconn belongs to $owner"
mode=$(inside stat -c '%U %a' /etc/dbconn/credentials)
[ "$mode" = 'root 700' ] || fail "/etc/dbconn/credentials belongs to $mode"
ok "files, folders and the user are in place"

# ---- without a configuration ----
code=0
inside dbconn check >"$work/out" 2>&1 || code=$?
[ "$code" -eq 2 ] || fail "dbconn check without a configuration ended with $code" "$work/out"
expect "dbconn check" "$work/out" 'sentry.organization is not set'
echo "    $(cat "$work/out")"
code=0
inside dbconn check --config /etc/dbconn/dbconn.json >"$work/out" 2>&1 || code=$?
[ "$code" -eq 2 ] || fail "dbconn check with the package's configuration ended with $code" "$work/out"
expect "dbconn check" "$work/out" 'cannot read /etc/dbconn/credentials/slack_app_token'
echo "    $(cat "$work/out")"
ok "dbconn check says what is not configured, exit code 2"

# ---- with one: the services are the sandbox, on this machine's loopback ----
start_sandbox
put() { (umask 077 && printf '%s\n' "$2" >"$root/etc/dbconn/credentials/$1"); }
put slack_app_token "$SLACK_APP_TOKEN"
put slack_bot_token "$SLACK_BOT_TOKEN"
put sentry_auth_token "$SENTRY_AUTH_TOKEN"
addresses=("SLACK_API_URL=$SLACK_API_URL" "SENTRY_URL=$SENTRY_URL" "SENTRY_ORG=$SENTRY_ORG"
    "ELASTICSEARCH_URL=$ELASTICSEARCH_URL" "ELASTICSEARCH_API_KEY=$ELASTICSEARCH_API_KEY"
    "DBCONN_ACCESS_ALLOW=*")

inside env "${addresses[@]}" dbconn check --config /etc/dbconn/dbconn.json >"$work/out" 2>&1 ||
    fail "dbconn check with a configuration failed" "$work/out"
ok "dbconn check with credentials in /etc/dbconn/credentials: all good"

inside env "${addresses[@]}" dbconn run "$SANDBOX_SHORT_ID" --json --config /etc/dbconn/dbconn.json \
    >"$work/report" 2>"$work/out" || fail "dbconn run failed" "$work/out"
cause=$(jq -r .diagnosis.cause "$work/report")
[ "$cause" = database_restart ] || fail "dbconn run found $cause" "$work/report"
ok "dbconn run: $cause ($(jq -r .diagnosis.confidence "$work/report"))"

# The service as its user, with credentials handed over as systemd does.
cp -r "$root/etc/dbconn/credentials" "$root/run/handed-over"
inside chown -R dbconn /run/handed-over
chroot --userspec=dbconn:dbconn "$root" env -i PATH=/usr/bin:/bin CREDENTIALS_DIRECTORY=/run/handed-over \
    STATE_DIRECTORY=/var/lib/dbconn "${addresses[@]}" dbconn serve --config /etc/dbconn/dbconn.json \
    >"$work/bot.log" 2>&1 &
bot=$!
wait_for bot_is_connected || fail "dbconn serve did not connect" "$work/bot.log"
type_command
expect "dbconn serve" "$work/bot.log" 'cause="database_restart"'
[ -f "$root/var/lib/dbconn/dbconn.db" ] || fail "the store is not in /var/lib/dbconn"
stop_bot
ok "dbconn serve answers a command as the service's user, and stops"

# ---- away ----
inside apt-get purge -y -qq dbconn >"$work/out" 2>&1 || fail "the package cannot be removed" "$work/out"
left=$(inside find / -xdev -path /proc -prune -o -path /sys -prune -o -iname '*dbconn*' \
    -not -path '/root/*' -not -path '/var/log/*' -print)
[ -z "$left" ] || fail "the purge leaves: $left"
ok "the purge leaves nothing"

echo "Package: $(($(stat -c %s "$package") / 1024)) KiB; with what it needs: $(((installed_kib - clean_kib) / 1024)) MiB."
echo "$passed passed, 0 failed"
