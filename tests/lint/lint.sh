#!/usr/bin/env bash
# The static checks: shellcheck for the scripts, cppcheck and clang-tidy for the C.
#   tests/lint/lint.sh quick     clang-tidy without its analyzer, which follows paths: a minute
#   tests/lint/lint.sh all       everything: some minutes
# Environment: LINT_FLAGS, how the compiler is called. Shows what was found; the last line counts checks.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
: "${LINT_FLAGS:?}"
extent=${1:-all}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs "$@"; what it prints is a finding.
check() {
    local name=$1 begun=$SECONDS result=ok
    shift
    if "$@" >"$log" 2>&1 && [ ! -s "$log" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        result=FAILED
    fi
    printf '%-44s %-6s %3ds\n' "$name" "$result" $((SECONDS - begun))
    [ $result = ok ] || cat "$log"
}

# Tracked or new, never what is built. A name without an ending is a script when its first line says so.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }
is_script() { [ -f "$1" ] && head -c 64 "$1" | head -n 1 | grep -qE '^#!.*\b(ba)?sh\b'; }
scripts() { files | while read -r file; do
    case $file in
    *.sh) echo "$file" ;;
    *.*) ;;
    *) if is_script "$file"; then echo "$file"; fi ;;
    esac
done; }

shell() {
    local list
    mapfile -t list < <(scripts)
    shellcheck --norc "${list[@]}"
}

# bash -n and friends look at syntax only, but the completions are sourced into people's shells.
completions() {
    shellcheck --norc --shell=bash contrib/completions/dbconn.bash
}

cpp() {
    cppcheck --quiet -j2 --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 --library=posix \
        -D_GNU_SOURCE -D'DBCONN_VERSION="0"' --include=tests/lint/cppcheck.h \
        -Iinclude -Icontrib/sandbox src contrib/sandbox tests
}

# One file a run: what its analyzer remembers of one file makes it err about the next.
tidy() {
    local more=()
    [ "$extent" = quick ] && more=('--checks=-clang-analyzer-*')
    # shellcheck disable=SC2086 # flags are words
    files 'src/*.c' 'contrib/sandbox/*.c' 'contrib/sandbox/*/*.c' | sort -u |
        xargs -P2 -I{} clang-tidy --quiet "${more[@]}" {} -- $LINT_FLAGS -D'DBCONN_VERSION="0"' 2>/dev/null
}

check shellcheck shell
check 'shellcheck of the completions' completions
check cppcheck cpp
check "clang-tidy ($extent)" tidy
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
