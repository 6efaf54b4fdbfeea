#!/usr/bin/env bash
# Measures how soon after its deadline the gate has ended, whatever blocks it, with every output written; and how much
# memory it takes, however much it is sent. One run after the other, so that none waits for another.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

# A proxy would stand between the gate and what blocks it.
for name in $(compgen -e); do
  case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
done
built
gate="$static"
export TMPDIR="$work"
scenario="$work/scenario.toml"

timeout=2   # seconds
blocked=1.8 # the least that a run takes which blocks: until then polls and submits are sent
run=(run --job-name GLDATA)
export EPM_POLL_MIN=50ms EPM_POLL_MAX=200ms

measured() {
  local name=$1 least=$2 end=$3
  shift 3
  # The end is a code and an outcome.
  # shellcheck disable=SC2086
  python3 tests/pipelines/measure.py "$name" "$timeout" "$least" $end "$gate" "$@" --timeout "${timeout}s"
}

# Against a sandbox that plays the scenario.
against() {
  local name=$1 least=$2 end=$3
  shift 3
  # shellcheck disable=SC2086
  "$sandbox" exec --scenario "$scenario" -- \
    python3 tests/pipelines/measure.py "$name" "$timeout" "$least" $end "$gate" "$@" --timeout "${timeout}s" \
    2> >(grep --invert-match '^epm-sandbox: ' >&2)
}

look() {
  printf '[look]\nreplies = [{ %s }]\n[[job]]\n' "$2" >"$scenario"
  against "look: $1" "$blocked" '31 unreachable' "${run[@]}"
}

submit() {
  printf '[[job]]\nsubmit = [{ %s }]\n' "$2" >"$scenario"
  against "submit: $1" "$3" "${4:-24 submit-uncertain}" "${run[@]}"
}

polls() {
  printf '[[job]]\npolls = [{ %s }]\n' "$2" >"$scenario"
  against "poll: $1" "${3:-$blocked}" '20 timed-out' "${run[@]}" "${@:4}"
}

log() {
  printf '[[job]]\npolls = [{ status = 1 }]\ndownload = [{ %s }]\nlog = "%s"\n' "$2" "${3:-log}" >"$scenario"
  against "log: $1" "${4:-$blocked}" '10 failed' "${run[@]}"
}

# With nobody there, as a user that is not known.
nowhere() {
  local url=$1
  shift
  EPM_URL=$url EPM_USERNAME=bot EPM_PASSWORD=not-a-secret measured "$@"
}

# In a network of its own, whose resolver takes questions and answers none.
with_silent_resolver() {
  local unshare=(unshare --mount --net)
  [ "$(id --user)" -eq 0 ] || unshare+=(--map-root-user)
  export gate run timeout blocked
  export -f measured nowhere resolver
  "${unshare[@]}" bash -euo pipefail -c resolver
}

resolver() {
  local ready="$TMPDIR/ready" conf="$TMPDIR/resolv.conf"
  mkfifo "$ready"
  echo 'nameserver 127.0.0.53' >"$conf"
  mount --bind "$conf" /etc/resolv.conf
  python3 - "$ready" <<'PYTHON' &
import fcntl, socket, struct, sys, time
up = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(up, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.53", 53))
with open(sys.argv[1], "w") as ready:
    ready.write("ready")
time.sleep(600)
PYTHON
  trap 'kill %1' EXIT
  read -r -n 5 _ <"$ready"
  nowhere https://epm.example.com 'look: a resolver that never answers' "$blocked" '31 unreachable' \
    run --job-name GLDATA
  nowhere https://epm.example.com 'submit: a resolver that never answers' "$blocked" '31 unreachable' \
    run --job-name GLDATA --look off
  nowhere https://epm.example.com 'poll: a resolver that never answers' "$blocked" '31 unreachable' attach 2100
}

printf '%s\n' "$gate"
printf '%-44s | %7s | %9s | %8s | exit\n' case T 'ended after' peak

with_silent_resolver

nowhere never-opens 'look: a connection that never opens' "$blocked" '31 unreachable' "${run[@]}"
nowhere never-opens 'submit: a connection that never opens' "$blocked" '31 unreachable' "${run[@]}" --look off
nowhere never-opens 'poll: a connection that never opens' "$blocked" '31 unreachable' attach 2100
nowhere http://127.0.0.1:9 'a stdin that stays open' "$blocked" '31 unreachable' run --payload -

for fault in hang stall trickle; do
  look "$fault" "fault = '$fault'"
  submit "$fault" "fault = '$fault'" "$blocked"
  polls "$fault" "status = 0, fault = '$fault'"
  log "$fault" "fault = '$fault'"
done
# At the look such an answer is one that lets us in.
submit endless "fault = 'endless'" 0
polls endless "status = 0, fault = 'endless'"
log endless "fault = 'endless'"
look 'headers that come late' "delay = '1h'"
submit 'headers that come late' "delay = '1h'" "$blocked"
polls 'headers that come late' "status = 0, delay = '1h'"
log 'headers that come late' "delay = '1h'"

later="headers = { Retry-After = '86400' }"
printf '[look]\nreplies = [{ http = 503, %s }]\n' "$later" >"$scenario"
against 'look: 503, to come back in a day' 0 '31 unreachable' "${run[@]}"
submit '429, to come back in a day' "http = 429, $later" 0 '31 unreachable'
submit '503, to come back in a day' "http = 503, taken = true, $later" 0
polls '503, to come back in a day' "http = 503, $later"
log '503, to come back in a day' "http = 503, $later" '' 0
polls 'asleep between two polls' 'status = -1' "$blocked" --poll-min 30s --poll-max 30s

timeout=5
megabyte=$((1024 * 1024))
submit 'an answer of 100 MB' "padding = $((100 * megabyte))" 0
polls 'answers of 100 MB' "status = 0, padding = $((100 * megabyte))" 4
polls 'answers without end' "status = 0, fault = 'endless'" 4
log 'without end' "fault = 'endless'" '' 4
timeout=120
printf -v line '%s ERROR [AIF]: it was this' '2026-03-22 03:24:27,402'
lines="$(for _ in $(seq 20000); do printf '%s\\n' "$line"; done)"
log 'of 500 MB, 20,000 of its lines telling' "padding = $((500 * megabyte))" "$lines" 0

printf 'everything ended in time, and within 64 MB\n'
