#!/usr/bin/env bash
# What the static binary weighs, crate by crate, beside the least that such a program weighs: benches/results/size.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

. .ci/tools.bash
musl=x86_64-unknown-linux-musl
target="${CARGO_TARGET_DIR:-target}"
results=benches/results
rustup target add "$musl"
crate cargo-bloat 0.12.1

cargo build --quiet --locked --release --target "$musl" --package epm-gate
cargo build --quiet --locked --release --target "$musl" --manifest-path benches/minimal/Cargo.toml \
  --target-dir "$target/minimal"
# In a folder of its own: the symbols would go into the binary that everything else here measures.
crates="$(CARGO_PROFILE_RELEASE_STRIP=false cargo bloat --release --target "$musl" --target-dir "$target/symbols" \
  --package epm-gate --crates -n 0 --message-format json)"

mkdir -p "$results"
python3 - "$crates" "$target/$musl/release/epm-gate" "$target/minimal/$musl/release/minimal" >"$results/size.json" <<'PYTHON'
import json, os, sys
bloat, gate, minimal = json.loads(sys.argv[1]), *map(os.path.getsize, sys.argv[2:])
# Their code alone: what a crate has of constants and tables is told of none.
crates = [{"name": crate["name"], "bytes": crate["size"]} for crate in bloat["crates"]]
told = {"bytes": gate, "code_bytes": bloat["text-section-size"], "crates": crates, "minimal_bytes": minimal}
print(json.dumps(told, indent=2))
PYTHON
printf '%s: ' "$results/size.json"
python3 -c 'import json, sys
told = json.load(open(sys.argv[1]))
print("{bytes} bytes, a minimal program {minimal_bytes}: {0:.2f} times that".format(told["bytes"] / told["minimal_bytes"], **told))' \
  "$results/size.json"
