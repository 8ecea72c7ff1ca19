#!/usr/bin/env bash
# Runs what takes too long for every change, one stage after the other, and prints a table of what each
# said and took. A stage whose target this tree lacks is left out by name. The logs stay in build/nightly.
# Environment: NIGHTLY_FUZZ_SECONDS, how long for each fuzz target; NIGHTLY, only these stages.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
logs=build/nightly
passed=0 failed=0 table=''
mkdir -p "$logs"

stage() { # NAME TARGET [VARIABLE=VALUE...]
    local name=$1 target=$2 begun=$SECONDS code=0 said
    shift
    if [ -n "${NIGHTLY:-}" ] && [[ " $NIGHTLY " != *" $name "* ]]; then return; fi
    if $make --dry-run "$target" 2>&1 | grep -qF "No rule to make target '$target'"; then
        table+=$(printf '%-14s %s' "$name" "left out: there is no target $target")$'\n'
        return
    fi
    printf '\n== %s: make %s\n' "$name" "$*"
    $make --no-print-directory "$@" >"$logs/$name.log" 2>&1 || code=$?
    # What make removes when it has ended is not what the stage said.
    said=$(grep -Ev '^(make|rm )' "$logs/$name.log" | tail -n 1)
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 60 "$logs/$name.log"
        said="FAILED (exit code $code): $said"
    fi
    printf '%s, %d s\n' "$said" $((SECONDS - begun))
    table+=$(printf '%-14s %6d s  %s' "$name" $((SECONDS - begun)) "$said")$'\n'
}

stage lint lint
stage valgrind-unit valgrind-unit
stage valgrind-e2e valgrind-e2e
stage tsan tsan
stage crash crashtest
stage fuzz fuzz "FUZZ_SECONDS=${NIGHTLY_FUZZ_SECONDS:-600}"
stage coverage coverage
stage soak soak
stage package check-deb
stage container check-container

printf '\n%s%d passed, %d failed\n' "$table" "$passed" "$failed"
[ "$failed" -eq 0 ]
