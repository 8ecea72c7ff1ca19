#!/bin/sh
# Runs test programs, TEST_JOBS at a time (default 3: most of them wait most of the time), and adds
# up what they report.
#   tests/run.sh PROGRAM...
# Environment: VALGRIND, a command line to put before each.
# cmocka programs are counted by their tests, anything else as one test by its exit code. Shows the
# output of what failed; the last line is "N passed, N failed". Exit code 1 when anything failed.
set -u

# One program: its line, and its output when something failed. Leaves "PASSED FAILED" in $RESULTS.
run_one() {
    program=$1
    log=$(mktemp -p "$RESULTS" log.XXXXXX)
    started=$(date +%s)
    # shellcheck disable=SC2086 # words
    ${VALGRIND:-} "$program" >"$log" 2>&1
    code=$?
    ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\.*$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    if ! grep -q 'test(s) run' "$log"; then
        if [ "$code" -eq 0 ]; then ok=1; else bad=1; fi
    elif [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # all tests passed, and then it crashed or a sanitizer spoke
    fi
    echo "$ok $bad" >"$log.count"
    {
        printf '%-44s %4d passed %3d failed  %3ds\n' "${program##*/}" "$ok" "$bad" $(($(date +%s) - started))
        if [ "$bad" -ne 0 ]; then
            grep -v '^\[ *\(RUN\|OK\) *\]\|^\[       OK' "$log" | tail -n 60
        fi
    } >"$log.shown"
    cat "$log.shown" # in one piece
}

if [ "${1-}" = --one ]; then
    run_one "$2"
    exit 0
fi
RESULTS=$(mktemp -d)
export RESULTS
trap 'rm -rf "$RESULTS"' EXIT
printf '%s\n' "$@" | xargs -n 1 -P "${TEST_JOBS:-3}" "$0" --one
cat "$RESULTS"/*.count | awk '{ ok += $1; bad += $2 }
    END { print ok + 0 " passed, " bad + 0 " failed"; exit bad > 0 }'
counted=$?
[ "$(find "$RESULTS" -name '*.count' | wc -l)" -eq $# ] || {
    echo "some of the programs could not be run"
    exit 1
}
exit "$counted"
