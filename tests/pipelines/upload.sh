#!/usr/bin/env bash
# Brings a file of 1 GB to the inbox of a sandbox within 16 MB of resident memory, with the hash that `sha256sum` has of it.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/prelude.bash"

# A proxy would stand between the gate and the sandbox.
for name in $(compgen -e); do
  case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
done
built

gigabyte=1000000000
file="$work/large.csv"
# Lines, and no two blocks alike.
openssl enc -aes-128-ctr -pass pass:epm -nosalt -pbkdf2 </dev/zero 2>/dev/null | head --bytes "$gigabyte" >"$file" || true
[ "$(stat --format=%s "$file")" -eq "$gigabyte" ] || fail 'no file of 1 GB could be made'

# The job goes on until it is looked at.
printf '[[job]]\nneeds_file = true\npolls = [{ status = -1 }]\n' >"$work/scenario.toml"
serve --scenario "$work/scenario.toml" --log "$requests"

# The most that a process has had in memory, in KB.
peak() {
  sed --quiet --regexp-extended 's/^VmHWM:\s+([0-9]+) kB/\1/p' "/proc/$1/status"
}

stop_gate() {
  [ -z "$gate" ] || kill "$gate" || true
}
gate=
at_end stop_gate

say 'brings 1 GB'
"$static" run --job-name GLDATA --upload "$file=inbox/large.csv" --timeout 5m --poll-min 50ms >"$output" 2>&1 &
gate=$!
for _ in $(seq 1 5000); do
  if grep --quiet 'in progress' "$output" || ! kill -0 "$gate" 2>/dev/null; then break; fi
  pause
done
grep --quiet 'in progress' "$output" || fail 'the file was not brought'
memory="$(peak "$gate")"
kill -TERM "$gate"
wait "$gate" || true
gate=
printf 'resident at most: the gate %d KB, the sandbox %d KB\n' "$memory" "$(peak "$serving")"
[ "$memory" -lt 16384 ] || fail "the gate took $memory KB"
[ "$(peak "$serving")" -lt 65536 ] || fail 'the sandbox held the file'
hash="$(sha256sum "$file" | cut --delimiter=' ' --fields=1)"
grep --quiet --fixed-strings "\"upload\":{\"size\":$gigabyte,\"sha256\":\"$hash\",\"whole\":true}" "$requests" ||
  fail 'what arrived is not what was sent'
submits 1
said "uploading \`$file\` (1.0 GB) to \`inbox/large.csv\`" 'uploaded `inbox/large.csv` in '
