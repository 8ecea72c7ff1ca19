#!/bin/sh
# Every include of the form dbconn/<floor>/... is an arrow of the architecture (ARCHITECTURE.md); this
# refuses those that point upwards. Prints the offending lines; exit code 1 when there are any.
set -eu
floors="base net analysis sources diagnosis collectors playbook queue report slack app"

rank() {
    n=0
    for f in $floors; do
        n=$((n + 1))
        if [ "$f" = "$1" ]; then
            echo "$n"
            return
        fi
    done
    echo 0
}

bad=0
for floor in $floors; do
    own=$(rank "$floor")
    for to in $floors; do
        if [ "$(rank "$to")" -gt "$own" ] || { [ "$floor" = analysis ] && [ "$to" = net ]; }; then
            if grep -rn "#include \"dbconn/$to/" "src/$floor" "include/dbconn/$floor" 2>/dev/null; then
                bad=1
            fi
        fi
    done
done
exit $bad
