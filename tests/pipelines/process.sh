#!/usr/bin/env bash
# The gate as a process among others: stopped as GitHub's runner stops a step, under nohup, as PID 1 without an init, and
# with a wall clock that jumps. Needs root for a PID namespace of its own.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/prelude.bash"

output="$work/log"
PATH="$target/debug:$PATH"
cargo build --quiet --locked --workspace
faketime="/usr/lib/$(uname --machine)-linux-gnu/faketime/libfaketime.so.1"
debian "$faketime" libfaketime

cat >"$work/scenario.toml" <<'EOF'
[[job]]
name = "THREE_SECONDS"
polls = [{ status = -1, lasts = "3s" }, { status = 0 }]

[[job]]
polls = [{ status = -1 }]
EOF
serve --scenario "$work/scenario.toml"
export EPM_POLL_MIN=50ms EPM_TIMEOUT=60s

# Starts a command that waits for a job which does not end.
start() {
  rm -rf "$work/outputs"
  : >"$work/log"
  EPM_OUTPUTS_DIR="$work/outputs" EPM_SUMMARY="$work/summary" "$@" >"$work/log" 2>&1 &
  started=$!
  until_said "$output" 'in progress'
}

# The command has ended with this code, and left this outcome and a summary that tells how to go on.
ended() {
  local code=0
  wait "$started" || code=$?
  [ "$code" -eq "$1" ] || fail "exit code $code in place of $1"
  [ "$(cat "$work/outputs/outcome")" = "$2" ] || fail "outcome $(cat "$work/outputs/outcome")"
  [ -n "$(cat "$work/outputs/jobId")" ] || fail 'no job id'
  grep --quiet 'epm-gate attach' "$work/summary" || fail 'the summary does not say how to attach'
}

# Its heartbeat comes after a minute; it is looked at in the end.
epm-gate run --job-name GL --timeout 70s --poll-min 5s --poll-max 5s 2>"$work/heartbeat" &
beating=$!

printf 'a step of GitHub, whose runner signals the shell alone\n'
printf 'exec epm-gate run --job-name GL\n' >"$work/step.sh"
# Its shell does not ignore SIGINT, which one in the background does.
start python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' bash --noprofile --norc -e -o pipefail "$work/step.sh"
kill -INT "$started"
ended 130 interrupted

printf 'under nohup\n'
start nohup epm-gate run --job-name GL
kill -HUP "$started"
kill -TERM "$started"
ended 143 interrupted
grep --quiet SIGHUP "$work/log" && fail 'SIGHUP was heard'

printf 'as PID 1\n'
start unshare --pid --fork --mount-proc epm-gate run --job-name GL
pkill -TERM --parent "$started"
ended 143 interrupted
start unshare --pid --fork --mount-proc epm-gate run --job-name GL
pkill -INT --parent "$started"
ended 130 interrupted

# Jumps a month ahead, then two back, while a command waits.
jumping() {
  echo +0 >"$work/clock"
  start env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 "$@"
  echo +30d >"$work/clock"
  read -r -t 1 <>"$work/pause" || true
  echo -30d >"$work/clock"
}

printf 'with a wall clock that jumps\n'
jumping epm-gate run --job-name THREE_SECONDS --timeout 30s
wait "$started" || fail "exit code $?"
jumping epm-gate run --job-name GL --timeout 3s
ended 20 timed-out
jumping epm-gate run --job-name GL --timeout 3s --ledger "$work/ledger.json" --ledger-key k
ended 20 timed-out

# No name can be resolved without a thread, and the runtime panics. That needs a user whom the system holds to it.
printf 'without a thread to be had, by the static binary\n'
built
mkdir "$work/nobody"
cp "$static" "$work/nobody/epm-gate"
chmod 711 "$work"
chmod 777 "$work/nobody"
expect 101 setpriv --reuid 65534 --clear-groups prlimit --nproc=0 "$work/nobody/epm-gate" attach 7 \
  --url "http://localhost:${EPM_URL##*:}" --outputs-dir "$work/nobody/outputs" --summary "$work/nobody/summary"
said 'panicked at ' 'this is a bug; a job may be running' 'epm-gate attach 7' 'https://github.com/acme/epm-gate/issues'
[ "$(cat "$work/nobody/outputs/outcome")" = panic ] || fail "outcome $(cat "$work/nobody/outputs/outcome")"
grep --quiet 'epm-gate attach 7' "$work/nobody/summary" || fail 'the summary does not say how to attach'
mkfifo --mode=666 "$work/nobody/pipe"
expect 2 timeout 20 setpriv --reuid 65534 --clear-groups prlimit --nproc=0 "$work/nobody/epm-gate" attach 7 \
  --url "http://localhost:${EPM_URL##*:}" --report "$work/nobody/pipe"
said 'it is a pipe that nobody reads'

printf 'on a terminal, and not on one\n'
script --quiet --return --command 'epm-gate run --job-name THREE_SECONDS' "$work/terminal" >/dev/null
grep --quiet $'\r\033\\[2K' "$work/terminal" || fail 'no live line on a terminal'
env NO_COLOR=1 script --quiet --return --command 'epm-gate run --job-name THREE_SECONDS' "$work/terminal" >/dev/null
grep --quiet $'\033' "$work/terminal" && fail 'an escape sequence, though the environment asks for plain text'
epm-gate run --job-name THREE_SECONDS 2>"$work/log"
grep --quiet $'[\033\r]' "$work/log" && fail 'an escape sequence where there is no terminal'

printf 'a heartbeat a minute\n'
code=0
wait "$beating" || code=$?
[ "$code" -eq 20 ] || fail "exit code $code in place of 20"
cp "$work/heartbeat" "$work/log"
[ "$(grep --count --extended-regexp '^`GL` \(job [0-9]+\): in progress, after 1m( 1s)?, [0-9]+ polls$' "$work/log")" -eq 1 ] ||
  fail 'not one heartbeat'

printf 'the process holds\n'
