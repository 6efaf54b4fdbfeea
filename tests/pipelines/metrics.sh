#!/usr/bin/env bash
# Holds the metrics to Prometheus' own tools: promtool reads the file of every sample and of runs of the binary, and tests
# the alert rules of examples/observability; then a real Prometheus scrapes them from a real node_exporter, and is asked.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

debian promtool prometheus
debian prometheus-node-exporter prometheus-node-exporter
built
textfiles="$work/textfiles"
mkdir "$textfiles" "$work/samples"

# promtool reads a textfile and has nothing to say of it.
checked() {
  promtool check metrics <"$1" >"$output" 2>&1 || fail "promtool refuses $1"
  [ ! -s "$output" ] || fail "promtool has something to say of $1"
}

samples() {
  local file
  say 'the samples'
  EPM_GATE_WRITE_SAMPLES="$work/samples" expect 0 cargo test --quiet --locked --package epm-gate --lib -- \
    renderings::are_written_where_somebody_asks_for_them
  [ "$(find "$work/samples" -name '*.prom' | wc -l)" -ge 14 ] || fail 'there are fewer than 14 samples'
  for file in "$work/samples"/*.prom; do checked "$file"; done
  { cat "$work/samples/passed.metrics.prom" && echo 'x{a="b"c"} 1'; } >"$work/broken.prom"
  if promtool check metrics <"$work/broken.prom" >"$output" 2>&1; then fail 'promtool takes what is broken'; fi
}

# Runs of the binary: an exit code, a scenario, the name of the job, and flags. All their files lie in one folder.
runs() {
  local code scenario name flags
  say 'runs of the binary'
  while read -r code scenario name flags; do
    serve --scenario "$scenario"
    # shellcheck disable=SC2086 # several flags
    expect "$code" "$static" run --job-name "$(printf '%b' "$name")" --poll-min 20ms --poll-max 50ms \
      --metrics "$textfiles/$scenario.prom" $flags
    checked "$textfiles/$scenario.prom"
  done <<'RUNS'
0 succeeds Close
10 fails-with-rejected-rows Load
0 fails-then-succeeds Again --retries 1 --retry-delay 10ms
0 unavailable-for-a-while Patient
10 hostile-text \x22}\x201\\nübung
30 unauthorized Denied
RUNS
  find "$textfiles" -name '*.part' | grep . && fail 'a part was left behind'
  stop_serving
}

rules() {
  say 'the alert rules'
  expect 0 promtool check rules examples/observability/alerts.yml
  expect 0 promtool test rules examples/observability/alerts.test.yml
}

# A port that nobody listens at.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

ends() {
  kill "$1"
  wait "$1" || true
}

# Prometheus, and the exporter that it scrapes each second.
monitor() {
  local exporter
  exporter="127.0.0.1:$(free_port)"
  prometheus="127.0.0.1:$(free_port)"
  prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory="$textfiles" \
    --web.listen-address="$exporter" >"$work/exporter.log" 2>&1 &
  at_end "ends $!"
  cat >"$work/prometheus.yml" <<CONFIGURATION
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$PWD/examples/observability/alerts.yml]
scrape_configs: [{job_name: node, static_configs: [{targets: ["$exporter"]}]}]
CONFIGURATION
  prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="$prometheus" \
    >"$work/prometheus.log" 2>&1 &
  at_end "ends $!"
}

# Prometheus answers this to a query, soon.
answers() {
  for _ in $(seq 1 600); do
    curl --silent --fail --get --data-urlencode "query=$1" "http://$prometheus/api/v1/query" >"$work/answer" ||
      echo '{"data": {"result": []}}' >"$work/answer"
    python3 - "$work/answer" >"$output" <<'PYTHON'
import json, sys
series = json.load(open(sys.argv[1]))["data"]["result"]
print(*sorted(" ".join([*sorted(s["metric"].values()), s["value"][1]]) for s in series), sep="\n")
PYTHON
    if [ "$(cat "$output")" = "$2" ]; then return; fi
    pause
  done
  fail "not answered so: $1"
}

scraped() {
  say 'Prometheus, from the textfile collector'
  monitor
  answers 'max by (job_name, outcome) (epm_gate_job_end_timestamp_seconds) > bool 0' "$(
    cat <<'SERIES'
"} 1\nübung failed 1
Again succeeded 1
Close succeeded 1
Denied access-denied 1
Load failed 1
Patient succeeded 1
SERIES
  )"
  answers 'max by (job_name) (epm_gate_job_retries) > 0' 'Again 1'
  answers 'max by (job_name) (epm_gate_job_outages) > 0' 'Patient 2'
  answers 'max by (job_name, result) (epm_gate_requests{job_name="Denied"}) > 0' 'Denied denied 1'
  answers 'max by (kind) (epm_gate_job_rejected_rows{job_name="Load"})' "$(
    printf '%s\n' 'Error: 3303 1' '[BLANK] 1' '[NN] 1' '[TC] 1'
  )"
  answers 'max(node_textfile_scrape_error)' 0
  if grep level=error "$work/exporter.log" >"$output"; then fail 'the exporter has something to say of the files'; fi
}

# The rules see what has failed, until it has passed.
alerted() {
  local firing='count by (alertname, job_name) (ALERTS{alertstate="firing", job_name=~"Load|Close|Denied"})'
  say 'the alerts'
  answers "$firing" "$(
    printf '%s\n' 'Denied EpmJobFailed 1' 'Denied EpmJobNotRunSince 1' 'EpmJobFailed Load 1' 'EpmJobNotRunSince Load 1'
  )"
  serve --scenario succeeds
  expect 0 "$static" run --job-name Load --metrics "$textfiles/fails-with-rejected-rows.prom"
  answers "$firing" "$(printf '%s\n' 'Denied EpmJobFailed 1' 'Denied EpmJobNotRunSince 1')"
}

samples
rules
runs
scraped
alerted
say 'all of it holds'
