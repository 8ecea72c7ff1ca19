#!/usr/bin/env bash
# Runs the fuzz targets, some at a time, and says what each did.
#   tests/fuzz/run.sh PROGRAM BUILD [TARGET...]
# FUZZ_SECONDS for each, FUZZ_JOBS at a time; with FUZZ_SEED the inputs begin alike each time. What
# grows stays in BUILD/corpus, what breaks in BUILD/found. What was found is told at the end; the last
# line counts, the exit code is 1 when anything broke.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
program=$1 build=$2
shift 2
seconds=${FUZZ_SECONDS:-5} jobs=${FUZZ_JOBS:-2}
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for folder in tests/fuzz/corpus/*/; do
        targets+=("$(basename "$folder")")
    done
fi

# Documents of the project that are good inputs too.
more_inputs() {
    case $1 in
    config) echo config ;;
    playbook) echo config/playbooks ;;
    report) echo tests/golden/thread ;;
    esac
}

one() {
    local target=$1 code=0 log=$build/logs/$1.log
    local dict=tests/fuzz/dict/$target.dict
    mkdir -p "$build/corpus/$target" "$build/found" "$build/logs"
    local options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=40000
        -print_final_stats=1 -artifact_prefix="$build/found/$target-")
    [ -n "${FUZZ_SEED:-}" ] && options+=(-seed="$FUZZ_SEED")
    [ -f "$dict" ] && options+=(-dict="$dict")
    # shellcheck disable=SC2046 # a folder or nothing
    FUZZ_TARGET=$target "$program" "${options[@]}" "$build/corpus/$target" \
        "tests/fuzz/corpus/$target" $(more_inputs "$target") >"$log" 2>&1 || code=$?
    awk -v target="$target" -v code="$code" '
        /^#[0-9]+/ { for (i = 2; i < NF; i++) { if ($i == "cov:") cov = $(i + 1)
                                                if ($i == "ft:") ft = $(i + 1) } }
        /^Done / { runs = $2; secs = $5 }
        /number_of_executed_units/ { if (!runs) runs = $2 }
        END { printf "%-16s %10d executions %6d edges %6d features  %s\n", target, runs, cov, ft,
              code == 0 ? "nothing found" : "FOUND SOMETHING" }' "$log"
    if [ "$code" -ne 0 ]; then : >"$build/logs/$target.broke"; fi
    return "$code"
}

rm -f "$build"/logs/*.broke
failed=0 running=0
for target in "${targets[@]}"; do
    if [ "$running" -ge "$jobs" ]; then
        wait -n || failed=$((failed + 1))
        running=$((running - 1))
    fi
    one "$target" &
    running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
done
for target in "${targets[@]}"; do
    [ -f "$build/logs/$target.broke" ] || continue
    printf '\n-- %s broke:\n' "$target"
    grep -v '^#[0-9]' "$build/logs/$target.log" | tail -n 60
done
echo "$((${#targets[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
