#!/usr/bin/env bash
# Kills the gate at each system call that it makes from its start to the end of an exchange of its refresh token, and
# exchanges it again: that passes, or it says that the exchange before it was cut short. A dead token is never unexplained.
. "${BASH_SOURCE[0]%/*}/../pipelines/prelude.bash"
. tests/deep/kills.bash

debian strace strace
cargo build --quiet --locked --workspace
debug="$target/debug"
token="$(sed --quiet 's/^pub const REFRESH_TOKEN: &str = "\(.*\)";$/\1/p' sandbox/src/identity/tokens.rs)"
[ -n "$token" ] || fail "the sandbox's first refresh token was not found"

# What changes something outside of the process, or lies between two such calls.
calls=(openat write writev sendto recvfrom connect fsync rename unlink flock ftruncate epoll_wait futex)

# Kills one gate at its call $1 number $2, and starts another; prints how both ended.
# shellcheck disable=SC2016 # the inner shell expands them
round() {
  rm -f "$work"/token*
  printf '%s\n' "$token" >"$work/token"
  "$debug/epm-sandbox" exec -- bash -c '
    gate=("$1/epm-gate" login --renew --token-url "$EPM_URL" --client-id sandbox-public
      --refresh-token-file "$2/token" --timeout 20s)
    strace -f -qq -o /dev/null -e trace="$3" -e inject="$3:signal=KILL:when=$4" "${gate[@]}" >"$2/first" 2>&1
    first=$?
    "${gate[@]}" >"$2/output" 2>&1
    echo "$first $?"
  ' round "$debug" "$work" "$1" "$2" 2>/dev/null
}

# Lets each rename of one gate fail, as of a file that is mounted by itself: nothing is exchanged, and another gate passes.
# shellcheck disable=SC2016 # the inner shell expands them
unrenamed() {
  rm -rf "$work"/token*
  printf '%s\n' "$token" >"$work/token"
  expect 0 "$debug/epm-sandbox" exec -- bash -c '
    gate=("$1/epm-gate" login --renew --token-url "$EPM_URL" --client-id sandbox-public
      --refresh-token-file "$2/token" --timeout 20s)
    strace -f -qq -o /dev/null -e trace=rename -e inject=rename:error=EBUSY "${gate[@]}"
    code=$?
    [ "$code" -eq 2 ] || { echo "the first one ended with $code"; exit 1; }
    "${gate[@]}"
  ' unrenamed "$debug" "$work"
}

# Holds the second gate of a round to what is promised.
check() {
  local where="$1 number $2" first second
  read -r first second <<<"$(round "$1" "$2")"
  case "$second" in
  0) ;;
  30) grep --quiet --fixed-strings 'cut short' "$work/output" || fail "killed at $where, and nothing explains it: $(cat "$work/output")" ;;
  *) fail "killed at $where, the second one ended with $second: $(cat "$work/output")" ;;
  esac
  # It was not killed any more: it makes fewer such calls.
  [ "$first" -ne 0 ] || return 1
  killed "$second"
}

unrenamed
said 'mounted by itself'

kill_at_each "${calls[@]}"
for end in "${!ends[@]}"; do printf '  exit %s: %d times\n' "$end" "${ends[$end]}"; done
# Before and after the answer: else the calls have missed it.
kinds_of_end 2
