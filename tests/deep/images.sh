#!/usr/bin/env bash
# What tests/pipelines/images.sh leaves out, since it takes minutes: both images for arm64, run under emulation, and the
# one that is built from source. Needs root, and registers the emulator with the kernel while it runs.
. "${BASH_SOURCE[0]%/*}/../pipelines/prelude.bash"
. tests/pipelines/docker.bash

binfmt=/proc/sys/fs/binfmt_misc
arm64=aarch64-unknown-linux-musl

# From now on the kernel starts programs for arm64 in qemu, in containers too: `F` opens it once, here.
emulate() {
  debian qemu-aarch64-static qemu-user-static
  if ! [ -e "$binfmt/register" ]; then
    mount -t binfmt_misc binfmt_misc "$binfmt"
    at_end "umount $binfmt"
  fi
  [ ! -e "$binfmt/qemu-aarch64" ] || return 0
  printf '%s' ':qemu-aarch64:M:' \
    ':\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
    ':\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' \
    ":$(command -v qemu-aarch64-static):F" >"$binfmt/register"
  at_end end_emulation
}

end_emulation() {
  echo -1 >"$binfmt/qemu-aarch64"
}

# The main job in an image, which is started so.
rehearse() {
  expect 0 "$sandbox" exec -- docker run --rm --network host \
    --env EPM_URL --env EPM_USERNAME --env EPM_PASSWORD "$@" run --job-name GL_DATA_LOAD
  said "\`GL_DATA_LOAD\` (job $first_id) passed" 'POSTs taken: 1'
}

# The binary that a release puts into its images, in both of them.
for_arm64() {
  local image
  .ci/release build "$arm64"
  context
  binary arm64 "dist/bin/$arm64/epm-gate"
  debian_13 arm64
  build scratch --platform linux/arm64
  build shell --platform linux/arm64 --build-arg SHELL_BASE=debian-13-arm64
  for image in scratch shell; do
    [ "$(docker image inspect --format '{{.Architecture}}' "$image")" = arm64 ] || fail "$image is not for arm64"
  done
  rehearse scratch
  rehearse shell epm-gate
  expect 0 docker run --rm shell uname --machine
  has_line "$output" aarch64
}

# Needs nothing but what git holds. In place of Docker's image of Rust, which no registry gives us here, the same
# compiler stands in a Debian, and the dependencies beside it.
from_source() {
  context
  debian_13 amd64
  rust
  expect 0 docker build --tag rust --network host --build-arg http_proxy --build-arg https_proxy "$work/rust"
  build scratch --build-arg BINARY=source --build-arg RUST_BASE=rust
  rehearse scratch
  build shell --build-arg BINARY=source --build-arg RUST_BASE=rust --build-arg SHELL_BASE=debian-13-amd64
  rehearse shell epm-gate
}

# Lays out an image of Rust.
rust() {
  local into="$work/rust" sysroot
  rustup target add "$musl"
  sysroot="$(rustc --print sysroot)"
  mkdir --parents "$into/toolchain/lib/rustlib" "$into/cargo"
  cp --recursive "$sysroot/bin" "$into/toolchain"
  cp "$sysroot"/lib/*.so* "$into/toolchain/lib"
  cp --recursive "$sysroot/lib/rustlib"/x86_64-unknown-linux-{gnu,musl} "$into/toolchain/lib/rustlib"
  (cd "$into" && cargo vendor --quiet --locked --manifest-path "$OLDPWD/Cargo.toml" cargo/vendor) >/dev/null
  cat >"$into/cargo/config.toml" <<'EOF'
[source.crates-io]
replace-with = "vendor"
[source.vendor]
directory = "/cargo/vendor"
EOF
  cat >"$into/Dockerfile" <<EOF
FROM debian-13-amd64
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
COPY toolchain /toolchain
COPY cargo /cargo
ENV PATH=/toolchain/bin:/usr/bin:/bin CARGO_HOME=/cargo CARGO_BUILD_TARGET=$musl CC_x86_64_unknown_linux_musl=gcc
EOF
}

built
daemon
emulate
for part in for_arm64 from_source; do
  say "$part"
  "$part"
done
say 'the images hold'
