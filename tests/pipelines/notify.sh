#!/usr/bin/env bash
# Holds what others are told to readers that are not ours: the event to `cloudevents` and to the schemas, Slack's blocks to
# `slack_sdk`, the card to Microsoft's renderer, PagerDuty's to the documented fields. Measures that telling ends in time,
# whatever the receiver does, and searches all that was written for the addresses. Needs no network but for pip and npm the
# first time.
. "${BASH_SOURCE[0]%/*}/receiver.bash"

pypi
npm_packages
built
key=0123456789abcdef0123456789abcdef
secrets+=(-e s3cret -e "$key")

# Starts a receiver that does this, and names it in all four ways.
listen() {
  receive "$1"
  local url="$place?sig=s3cret"
  export EPM_NOTIFY="cloudevents=$url
slack=$url
teams=$url
pagerduty=$key@$url"
}

run=(run --job-name GL_DATA_LOAD --poll-min 20ms --poll-max 50ms --report "$work/report.json" --verbose)

readers() {
  local code scenario flags
  say 'read by others'
  listen take
  while read -r code scenario flags; do
    serve --scenario "$scenario"
    # shellcheck disable=SC2086 # several flags
    expect "$code" "$static" "${run[@]}" --notify-on always $flags
    not_said 'not notified'
  done <<'RUNS'
0 succeeds
0 warns
10 fails-with-rejected-rows
10 hostile-text
13 quick-success --min-duration 1h
20 never-ends --timeout 1s
30 unauthorized
2 succeeds --poll-cost soon
RUNS
  expect 0 .tools/venv/bin/python tests/pipelines/notified.py "$got"
  said cloudevents=8 slack=8 teams=8 trigger=6 resolve=2
  expect 0 .tools/venv/bin/check-jsonschema --schemafile docs/event.schema.json "$got"/*.event.json
  expect 0 .tools/venv/bin/check-jsonschema --schemafile docs/report.schema.json "$got"/*.data.json
  expect 0 node tests/pipelines/card.mjs "$got"/*.card.json
  if grep --recursive --quiet "${secrets[@]}" "$work/report.json" "$got"/*.data.json; then fail 'an address was written'; fi
}

# The gate ends within so many seconds of its last line, with its verdict.
bounds() {
  local how begun
  serve --scenario fails-with-details
  for how in hang unread reset fail; do
    say "a receiver that does this: $how"
    listen "$how"
    begun=$SECONDS
    expect 10 "$static" "${run[@]}"
    [ $((SECONDS - begun)) -le 12 ] || fail "$how: it took $((SECONDS - begun)) s"
    [ "$(grep --count 'was not notified' "$output")" -eq 4 ] || fail 'not each of four was told of'
  done
}

# After a signal it is over within two seconds.
stopped() {
  local code=0 begun
  say 'a receiver that hangs, after a signal'
  listen hang
  serve --scenario never-ends
  "$static" "${run[@]}" >"$output" 2>&1 &
  local gate=$!
  until_said "$output" 'in progress'
  begun=$SECONDS
  kill "$gate"
  wait "$gate" || code=$?
  [ "$code" -eq 143 ] || fail "exit code $code in place of 143"
  [ $((SECONDS - begun)) -le 4 ] || fail "it took $((SECONDS - begun)) s"
  if grep --quiet "${secrets[@]}" "$output"; then fail 'an address was said'; fi
}

readers
bounds
stopped
say 'all is well'
