#!/usr/bin/env bash
# Kills the gate at each system call that it makes from its start to its first poll, with a ledger, and runs it again:
# the sandbox takes one job at most, and the second run has attached to it or says that it cannot know. Where a kill in
# time may miss a moment, this misses none. Needs strace, as root or as the owner of the process.
. "${BASH_SOURCE[0]%/*}/../pipelines/prelude.bash"
. tests/deep/kills.bash

debian strace strace
cargo build --quiet --locked --workspace
debug="$target/debug"

# The job is in progress for one poll, so that a gate which attaches has something to wait for.
cat >"$work/scenario.toml" <<'EOF'
[[job]]
polls = [{ status = -1 }, { status = 0 }]
EOF

# What changes something outside of the process, or lies between two such calls.
calls=(openat write writev sendto recvfrom connect fsync rename flock epoll_wait)

# Kills one gate at its call $1 number $2, and runs another; prints what became of both.
# shellcheck disable=SC2016 # the inner shell expands them
round() {
  rm -f "$work"/ledger.json*
  "$debug/epm-sandbox" exec --scenario "$work/scenario.toml" -- bash -c '
    gate=("$1/epm-gate" run --job-name GL --ledger "$2/ledger.json" --ledger-key k --poll-min 10ms --timeout 30s)
    strace -f -qq -o /dev/null -e trace="$3" -e inject="$3:signal=KILL:when=$4" "${gate[@]}" >"$2/output" 2>&1
    first=$?
    "${gate[@]}" --outputs-dir "$2/outputs" >>"$2/output" 2>&1
    echo "$first $? $(cat "$2/outputs/submitted")"
  ' round "$debug" "$work" "$1" "$2" 2>>"$work/taken"
}

# Holds the two runs of a round to the contract.
check() {
  local where="$1 number $2" told first second submitted taken
  : >"$work/taken"
  # All of it, so that the sandbox has ended and counted.
  told="$(round "$1" "$2")"
  read -r first second submitted <<<"$told"
  taken="$(sed --quiet 's/.*POSTs taken: //p' "$work/taken")"
  [ "$taken" -le 1 ] || fail "killed at $where, and $taken jobs were taken"
  case "$second" in
  0) [ "$taken" -eq 1 ] || fail "killed at $where, it passed without a job" ;;
  24) ;;
  *) fail "killed at $where, the second run ended with $second" ;;
  esac
  # It was not killed any more: it makes fewer such calls.
  [ "$first" -ne 0 ] || return 1
  killed "$second $submitted"
}

kill_at_each "${calls[@]}"
for end in "${!ends[@]}"; do
  printf '  exit %s, submitted by the second run: %s: %d times\n' "${end% *}" "${end#* }" "${ends[$end]}"
done
# Before, in and after the submit: else the calls have missed it.
kinds_of_end 3
