#!/usr/bin/env bash
# Renders one manual page: the source's @NAME@ are replaced, then scdoc makes troff of it.
#   docs/man/render.sh SOURCE.scd >PAGE
# Environment: DBCONN, the built program, for the keys of the configuration; VERSION; DOCDIR, where the
# examples will be installed.
set -euo pipefail
here=$(dirname "$0")
source=$1
: "${DBCONN:?}" "${VERSION:?}" "${DOCDIR:?}"

if ! command -v scdoc >/dev/null; then
    echo "The manual pages need scdoc (Debian: apt-get install scdoc)." >&2
    exit 1
fi

keys() { "$DBCONN" config keys | awk -f "$here/keys.awk"; }
guide() { awk -f "$here/markdown.awk" "$here/../playbooks.md"; }

while IFS= read -r line; do
    case $line in
    @KEYS@) keys ;;
    @GUIDE@) guide ;;
    *)
        line=${line//@VERSION@/$VERSION}
        printf '%s\n' "${line//@DOCDIR@/$DOCDIR}"
        ;;
    esac
done <"$source" | scdoc
