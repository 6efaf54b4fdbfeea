#!/usr/bin/env bash
# Finds the gate for this runner and puts its path into the step output `binary`: the one at GATE_BINARY_PATH, or the
# released one, from GATE_DOWNLOAD_BASE_URL, whose checksum stands beside this file. For any bash from 3.2 on, as macOS
# has it, and Git's on Windows: options are short, and paths on the command lines relative, since tar takes the D: of a
# drive for a host.
# shellcheck disable=SC2016 # backticks in single quotes are Markdown's
set -euo pipefail
sums="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/SHA256SUMS"

# What the caller's step holds for the gate is nobody's business here.
for name in "${!EPM_@}"; do
  unset "$name"
done

# Says why there is no gate here and what would help, and ends. No address is said: it may hold credentials.
refuse() {
  printf '::error title=epm-gate is not installed::%s\n' "$1"
  exit 1
}

# The path of the binary, for the step that runs it.
found() {
  case $1 in *$'\n'* | *$'\r'*) refuse 'the path of the binary holds a line end' ;; esac
  printf 'binary=%s\n' "$1" >>"$GITHUB_OUTPUT"
  exit 0
}

# The one that is there already: what `exec` would find by this name.
given() {
  local path="$GATE_BINARY_PATH"
  if [ "${RUNNER_OS:-}" = Windows ]; then path="$(cygpath --unix -- "$path")"; fi
  path="$(type -P -- "$path")" || refuse '`binary-path` names nothing that can be executed'
  found "$path"
}

# What the release calls this system.
target() {
  case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
  Linux-X64) echo x86_64-unknown-linux-musl ;;
  Linux-ARM64) echo aarch64-unknown-linux-musl ;;
  macOS-X64) echo x86_64-apple-darwin ;;
  macOS-ARM64) echo aarch64-apple-darwin ;;
  Windows-X64) echo x86_64-pc-windows-gnu ;;
  *) return 1 ;;
  esac
}

# The lines of the sums for a target, `SUM NAME`, and no others.
lines() {
  tr -d '\r' <"$sums" | sed -n "s/^\([0-9a-f]\{64\}\) [ *]\(epm-gate-[0-9A-Za-z.+-]*-$1\.tar\.gz\)\$/\1 \2/p"
}

# The SHA-256 of a file: the one command is GNU's and Git's, the other macOS's.
sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

# From an address into a file. `http` and `file` are as good as `https`: the checksum decides.
download() {
  command -v curl >/dev/null || refuse 'there is no `curl` here: give `binary-path`'
  curl --proto '=https,http,file' --location --globoff --fail --silent --show-error \
    --connect-timeout 20 --max-time 300 --retry 4 --retry-connrefused --retry-max-time 300 --output "$2" --url "$1" ||
    refuse "$2 could not be downloaded from \`download-base-url\`, see above: give another one, or \`binary-path\`"
}

if [ -n "${GATE_BINARY_PATH:-}" ]; then given; fi

[ -s "$sums" ] || refuse 'nothing is released at this commit: use a released tag, or give `binary-path`'
target="$(target)" || refuse 'nothing is released for the system and architecture of this runner: give `binary-path`'
line="$(lines "$target")"
case $line in
'') refuse "nothing is released for $target at this commit: use a released tag, or give \`binary-path\`" ;;
*$'\n'*) refuse "action/SHA256SUMS has more than one line for $target" ;;
esac
sum="${line% *}"
archive="${line#* }"
folder="${archive%.tar.gz}"
version="${folder#epm-gate-}"
version="${version%-"$target"}"

cd "$RUNNER_TEMP"
cd "$(mktemp -d epm-gate.XXXXXX)"
download "${GATE_DOWNLOAD_BASE_URL%/}/v$version/$archive" "$archive"
[ "$(sum_of "$archive")" = "$sum" ] ||
  refuse "$archive is not what was released: its SHA-256 is not the one in action/SHA256SUMS"
tar -xzf "$archive"
binary="$folder/epm-gate"
if [ "$RUNNER_OS" = Windows ]; then binary="$binary.exe"; fi
[ -x "$binary" ] || refuse "there is no $binary in the archive that can be executed"
found "$PWD/$binary"
