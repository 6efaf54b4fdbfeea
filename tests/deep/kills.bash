# Kills one gate after the other, each at another of its system calls. Sourced, not run.
# shellcheck shell=bash

declare -A ends=()
kills=0

# Calls `check CALL NUMBER` for each of these calls and each number, until it says by its code that the gate made fewer
# such calls. `check` counts a kill by `killed`.
kill_at_each() {
  local call at
  for call; do
    for ((at = 1; at < 500; at++)); do
      check "$call" "$at" || break
    done
  done
  printf 'killed at %d calls; then:\n' "$kills"
}

# One more gate was killed, and this is how the next one ended.
killed() {
  kills=$((kills + 1))
  ends[$1]=$((${ends[$1]:-0} + 1))
}

# So many kinds of end were seen: fewer, and the calls have missed one.
kinds_of_end() {
  [ "${#ends[@]}" -eq "$1" ] || fail 'not every kind of end was seen'
}
