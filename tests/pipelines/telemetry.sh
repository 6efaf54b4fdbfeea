#!/usr/bin/env bash
# Holds exports to OpenTelemetry's own messages: real runs, in both encodings, decoded by `opentelemetry-proto`; each is one
# tree under the span of the pipeline, whose spans lie within their parents in time. Measures that a run ends in time whatever
# the receiver does, and searches all that was written for the headers. Needs no network but for pip the first time.
. "${BASH_SOURCE[0]%/*}/receiver.bash"

for name in $(compgen -e); do
  case $name in OTEL_* | TRACE*) unset "$name" ;; esac
done
pypi
built
secrets+=(-e s3cret)
export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20s3cret'
export TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01

# Starts a receiver that does this, and names it.
listen() {
  receive "$1"
  export OTEL_EXPORTER_OTLP_ENDPOINT="$place"
}

run=(run --job-name GL_DATA_LOAD --poll-min 20ms --poll-max 50ms --report "$work/report.json" --verbose)

decoded() {
  local code scenario flags protocol
  say 'decoded by OpenTelemetry'
  listen take
  printf 'Account,Amount\n4000,1\n' >"$work/gl.csv"
  while read -r code scenario flags; do
    for protocol in http/protobuf http/json; do
      serve --scenario "$scenario"
      # shellcheck disable=SC2086 # several flags
      OTEL_EXPORTER_OTLP_PROTOCOL=$protocol expect "$code" "$static" "${run[@]}" $flags
      said 'exported trace 4bf92f3577b34da6a3ce929d0e0e4736'
    done
  done <<RUNS
0 succeeds
0 succeeds --upload $work/gl.csv --download-dir $work/files --collect log,output
0 fails-then-succeeds --retries 1 --retry-delay 20ms
0 html-for-a-while
10 fails-with-rejected-rows
10 hostile-text
20 never-ends --timeout 1s
30 unauthorized
RUNS
  expect 0 .tools/venv/bin/python tests/pipelines/exported.py "$got"
  said json=8 protobuf=8 gate=16 failed=8 attempt-1=16 attempt-2=2 look=18 upload=2 event:uploaded=2
  said event:no-usable-answer event:submitted event:given-up wait collect diagnose
  if grep --recursive --quiet "${secrets[@]}" "$work/report.json" "$work/files"; then fail 'a header was written'; fi
}

# The gate ends within so many seconds, with its verdict.
bounds() {
  local how begun
  serve --scenario quick-success
  for how in hang unread reset fail; do
    say "a receiver that does this: $how"
    listen "$how"
    begun=$SECONDS
    expect 0 "$static" "${run[@]}"
    [ $((SECONDS - begun)) -le 12 ] || fail "$how: it took $((SECONDS - begun)) s"
    said 'the trace was not exported'
  done
}

decoded
bounds
say 'all is well'
