# Who is told of the end of a run: tests/pipelines/receiver.py, one at a time. Sourced in place of the prelude, with what that
# brings.
# shellcheck shell=bash
. "${BASH_SOURCE[0]%/*}/prelude.bash"

receiving=

stop_receiving() {
  [ -n "$receiving" ] || return 0
  kill "$receiving"
  wait "$receiving" 2>/dev/null || true
  receiving=
}
at_end stop_receiving

# Starts a receiver that does this; what it is sent comes to $got, and its address is $place. A proxy around this pipeline
# leads to none.
receive() {
  local name port
  for name in $(compgen -e); do
    case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
  done
  stop_receiving
  got="$work/got-$1"
  mkdir --parents "$got"
  [ -p "$work/port" ] || mkfifo "$work/port"
  python3 tests/pipelines/receiver.py "$got" "$1" >"$work/port" &
  receiving=$!
  read -r port <"$work/port"
  # shellcheck disable=SC2034 # for the scripts
  place="http://127.0.0.1:$port/s3cret"
}
