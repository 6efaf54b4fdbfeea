#!/usr/bin/env bash
# A file of 1 GB is saved within 16 MB of resident memory, whole and with the right hash, though it breaks off twice and goes
# on; so are smaller ones whose transfer begins anew, or that are read meanwhile.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

# A proxy would stand between the gate and the sandbox, which is on this machine.
for name in $(compgen -e); do
  case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
done
built
export EPM_POLL_MIN=50ms EPM_POLL_MAX=200ms
largest=16384 # kB
files="$work/files"

# What the sandbox sends for `padding`: blank lines of 64 KiB, and then as much of one as is left.
expected() {
  python3 - "$1" "$2" <<'PYTHON'
import hashlib, sys
start, padding = sys.argv[1].encode(), int(sys.argv[2])
blank, digest = b" " * 65535 + b"\n", hashlib.sha256(start)
for _ in range(padding // 65536):
    digest.update(blank)
digest.update(blank[: padding % 65536])
print(digest.hexdigest())
PYTHON
}

# Runs the gate, and prints its peak of resident memory in kB, as the kernel has counted it for this process alone.
measured() {
  python3 - "$output" "$@" <<'PYTHON'
import os, subprocess, sys, threading
peak = 0
with open(sys.argv[1], "w") as log:
    gate = subprocess.Popen(sys.argv[2:], stdout=log, stderr=log)
    over = threading.Event()
    def watch():
        global peak
        while not over.wait(0.02):
            try:
                lines = open(f"/proc/{gate.pid}/status").read().splitlines()
            except OSError:
                return
            # Counted from `exec` on, so that it is the gate's alone, and the highest so far at each look.
            peak = max([peak] + [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")])
    watcher = threading.Thread(target=watch)
    watcher.start()
    code = gate.wait()
    over.set()
    watcher.join()
print(peak)
sys.exit(code)
PYTHON
}

saves() {
  local what=$1 name=$2 sum=$3 peak
  rm -rf "$files"
  serve --scenario "$work/scenario.toml" --log "$requests"
  peak="$(measured "$static" run --job-name GLDATA --download-dir "$files" --collect "$4")" || fail "$what: it did not pass"
  [ "$(stat --format %s "$files/$name")" -eq "$((padding + ${#start}))" ] || fail "$what: it is not whole"
  [ "$(sha256sum "$files/$name" | cut --delimiter ' ' --fields 1)" = "$sum" ] || fail "$what: it is another file"
  said "$sum"
  if [ "$peak" -le 0 ] || [ "$peak" -gt "$largest" ]; then fail "$what: it took $peak kB"; fi
  say "$what: $peak kB"
}

start='ENTITY,AMOUNT'
play() {
  printf '[[job]]\npolls = [{ %s }]\nranges = %s\ndownload = [%s]\n%s\n' "$@" >"$work/scenario.toml"
}
output_file="output = '$start'
output_file = 'outbox/GL.csv'"

padding=1000000000
sum="$(expected "$start" "$padding")"
cut="{ padding = $padding, cut_after = 400000000 }, { padding = $padding, cut_after = 300000000 }"
play 'status = 0' true "$cut, { padding = $padding }" "$output_file"
saves 'an output of 1 GB that breaks off twice and goes on' GL.csv "$sum" output
said 'its output broke off after '
[ "$(grep --fixed-strings --count '"range":"bytes=' "$requests")" -eq 2 ] || fail 'it was not asked for where it stopped'

padding=200000000
sum="$(expected "$start" "$padding")"
play 'status = 0' false "{ padding = $padding, cut_after = 100000000 }, { padding = $padding }" "$output_file"
saves 'one of 200 MB that breaks off and begins anew' GL.csv "$sum" output
play 'status = 0, job_status = "WARNING"' true "{ padding = $padding }" "log = '$start'"
saves 'a log of 200 MB that is read meanwhile' GLDATA_2100.log "$sum" log
said 'lines of the log'
