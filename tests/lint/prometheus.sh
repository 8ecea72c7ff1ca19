#!/bin/sh
# Prometheus' own tool over the alert rules, their tests, and the expressions of the dashboard. Passes
# without a word where promtool is not installed (Debian: prometheus).
set -eu
command -v promtool >/dev/null || exit 0
promtool check rules contrib/prometheus/alerts.yml
promtool test rules contrib/prometheus/alerts_test.yml

# Each expression as a recording rule, with Grafana's variables filled in.
rules=$(mktemp)
trap 'rm -f "$rules"' EXIT
# shellcheck disable=SC2016 # the dollars are Grafana's
{
    echo 'groups: [{ name: dashboard, rules: ['
    sed -n 's/^ *"expr": \(".*"\),*$/\1/p' contrib/grafana/dbconn.json |
        sed 's/\$__rate_interval/5m/g; s/\$instance/.*/g' |
        awk '{ printf "  { record: \"panel:%d\", expr: %s },\n", NR, $0 }'
    echo ']}]'
} >"$rules"
promtool check rules "$rules"
