#!/bin/sh
# Runs test programs one after the other and adds up what they report.
#   tests/run.sh PROGRAM...
# cmocka programs are counted by their tests, anything else as one test by its exit code. Shows the
# output of what failed; the last line is "N passed, N failed". Exit code 1 when anything failed.
set -u
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for program in "$@"; do
    started=$(date +%s)
    "$program" >"$log" 2>&1
    code=$?
    ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\.*$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    if ! grep -q 'test(s) run' "$log"; then
        if [ "$code" -eq 0 ]; then ok=1; else bad=1; fi
    elif [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # all tests passed, and then it crashed or a sanitizer spoke
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    printf '%-44s %4d passed %3d failed  %3ds\n' "${program##*/}" "$ok" "$bad" $(($(date +%s) - started))
    if [ "$bad" -ne 0 ]; then
        grep -v '^\[ *\(RUN\|OK\) *\]\|^\[       OK' "$log" | tail -n 60
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
