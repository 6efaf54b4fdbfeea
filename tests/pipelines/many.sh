#!/usr/bin/env bash
# A thousand jobs attached in one process: 4 KB of memory for each beyond the first, and at most 8 connections.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

# A proxy would stand between the gate and the sandbox, which is on this machine.
for name in $(compgen -e); do
  case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
done
built
# Long enough for each job to be asked about more than once.
python3 benches/many.py --gate "$static" --sandbox "$sandbox" --seconds 30 --jobs 1,1000 --to "$work/many.json"
python3 - "$work/many.json" <<'PYTHON' || fail 'a thousand jobs are too much'
import json, sys
row = json.load(open(sys.argv[1]))["rows"][-1]
sys.exit(row["memory_kb_a_job"] > 4 or not 1 <= row["connections"] <= 8)
PYTHON
