#!/usr/bin/env bash
# Reads what gcov counted in BUILD: lines reached by folder and file, and the places that were not.
#   tests/coverage/summary.sh BUILD
# Exit code 1 when a folder of parsers or rules is below 95 %, or the whole below 85 %.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "count:line:text" for each source; "#####" was never reached, "-" is no code.
find "$build/src" -name '*.gcda' -print0 | xargs -0 gcov -t >"$work/gcov" 2>"$work/log" ||
    { cat "$work/log" >&2; exit 2; }
awk -F: '
    function put() { if (name ~ /^src\/.*\.c$/) printf "%s %d %d\n", name, reached, all }
    $2 + 0 == 0 { if ($3 == "Source") { put(); name = $4; reached = all = 0 } next }
    { count = $1; gsub(/ /, "", count) }
    count == "-" || name !~ /^src\/.*\.c$/ { next }
    { all++ }
    count !~ /^[#=]/ { reached++; next }
    { text = $0; sub(/^[^:]*:[^:]*:/, "", text); printf "%s:%d:%s\n", name, $2, text >missed }
    END { put() }' missed="$work/missed" "$work/gcov" | sort >"$work/files"

awk '
    function row(name, r, a) { printf "%-28s %6d of %6d lines  %5.1f %%\n", name, r, a, a ? 100 * r / a : 100 }
    { split($1, part, "/"); r[part[2]] += $2; a[part[2]] += $3; all += $3; reached += $2 }
    END { n = split("base net analysis sources diagnosis collectors playbook queue report slack app", order, " ")
          for (i = 1; i <= n; i++) row(order[i], r[order[i]], a[order[i]])
          row("all", reached, all) }' "$work/files" >"$build/summary.txt"
# What must be at 95 %: the parsers of outside data, and what decides.
awk '
    function row(name, r, a) { printf "%-28s %6d of %6d lines  %5.1f %%\n", name, r, a, a ? 100 * r / a : 100 }
    { group = "" }
    $1 ~ /^src\/analysis\// { group = "analysis" }
    $1 ~ /^src\/diagnosis\// { group = "diagnosis" }
    $1 ~ /^src\/base\/redact/ { group = "redaction" }
    $1 ~ /^src\/base\/(text|json|jsonc|clock)\.c/ { group = "text and JSON" }
    $1 ~ /^src\/sources\// { group = "sources" }
    $1 ~ /^src\/slack\/(command|socket_frame|mrkdwn|press|message_link|webapi_reply|access_facts|modal)/ { group = "slack: parsers and escaping" }
    group { r[group] += $2; a[group] += $3 }
    END { low = 0
          n = split("analysis,diagnosis,redaction,text and JSON,sources,slack: parsers and escaping", order, ",")
          for (i = 1; i <= n; i++) { row(order[i], r[order[i]], a[order[i]])
                                     if (100 * r[order[i]] < 95 * a[order[i]]) low++ }
          exit low > 0 }' "$work/files" >"$work/parsers" && enough=yes || enough=no
{
    echo
    echo "Parsers and rules (95 % wanted):"
    cat "$work/parsers"
    echo
    echo "By file, the worst first:"
    awk '{ printf "%5.1f %%  %4d missed  %s\n", $3 ? 100 * $2 / $3 : 100, $3 - $2, $1 }' "$work/files" | sort -n
} >>"$build/summary.txt"
sort -t: -k1,1 -k2,2n "$work/missed" >"$build/missed.txt"
sed '/^By file/,$d' "$build/summary.txt"
echo "More in $build/summary.txt and $build/missed.txt."
awk '{ r += $2; a += $3 } END { exit 100 * r < 85 * a }' "$work/files" || enough=no
[ "$enough" = yes ]
