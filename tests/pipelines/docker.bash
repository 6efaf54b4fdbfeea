# A docker daemon of the script's own, and what the images are built from. Sourced after the prelude; needs root.
# shellcheck shell=bash disable=SC2154 # work and output are the prelude's

context="$work/context"
bases=.tools/debian-13

# Debian's client builds with the BuildKit that is in its daemon; a newer one would look for a plugin.
docker() {
  /usr/bin/docker "$@"
}

# Installs what is missing, starts a daemon, and waits until it answers.
daemon() {
  debian /usr/bin/docker docker.io
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY
  export DOCKER_BUILDKIT=1 DOCKER_CONFIG="$work/docker/config" DOCKER_HOST="unix://$work/docker/socket"
  mkdir --parents "$DOCKER_CONFIG"
  dockerd --data-root "$work/docker/data" --exec-root "$work/docker/run" --host "$DOCKER_HOST" \
    --pidfile "$work/docker/pid" --bridge none --iptables=false --ip6tables=false >"$work/docker/log" 2>&1 &
  daemon=$!
  at_end end_daemon
  until docker version >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || fail "no daemon: $(tail --lines=5 "$work/docker/log")"
    pause
  done
}

# Leaves no container, and no mount below $work.
end_daemon() {
  local containers
  mapfile -t containers < <(docker ps --all --quiet)
  [ "${#containers[@]}" -eq 0 ] || docker rm --force --volumes "${containers[@]}" >/dev/null
  kill "$daemon"
  wait "$daemon"
  # It leaves the one that --network host has made.
  [ ! -e "$work/docker/run/netns/default" ] || umount "$work/docker/run/netns/default"
}

# The base of the shell image for an architecture. Docker's debian:13-slim cannot be had without a registry; this one
# has the same packages. Making it takes a minute, so it is kept.
debian_13() {
  [ -e "$bases/$1.tar" ] || bootstrap "$1"
  expect 0 docker build --platform "linux/$1" --tag "debian-13-$1" --file - "$bases" <<EOF
FROM scratch
ADD $1.tar /
CMD ["bash"]
EOF
}

# Makes that base, without documentation and translations, as Docker's is.
bootstrap() {
  local mirror root="$work/base"
  say "debootstrap for $1"
  debian debootstrap debootstrap debian-archive-keyring
  mirror="$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 'Label: Debian' | head --lines=1)"
  debootstrap --arch "$1" --variant=minbase trixie "$root" "$mirror" >"$output" 2>&1 || fail 'debootstrap has failed'
  rm -rf "$root"/usr/share/{doc,locale,man} "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  # Proxies, and the rest of how this machine reaches its mirror.
  apt-config dump Acquire | grep --invert-match '^Acquire::IndexTargets' >"$root/etc/apt/apt.conf.d/99-machine"
  mkdir --parents "$bases"
  tar --create --file "$bases/$1.part" --directory "$root" .
  mv "$bases/$1.part" "$bases/$1.tar"
  rm -rf "$root"
}

# Lays out what a build may take: all that git holds or would hold.
context() {
  local file
  rm -rf "$context"
  mkdir "$context"
  git ls-files --cached --others --exclude-standard --deduplicate | while IFS= read -r file; do
    if [ -e "$file" ]; then cp --parents "$file" "$context"; fi
  done
}

# Lays out a release's binary for an architecture beside it, without the mode that it loses among a CI's artifacts.
binary() {
  install -D --mode=644 "$2" "$context/dist/linux/$1/epm-gate"
}

# Builds a target of the Dockerfile, as an image of that name. What it installs comes over the machine's own network.
build() {
  local target=$1
  shift
  expect 0 docker build --target "$target" --tag "$target" --network host \
    --build-arg http_proxy --build-arg https_proxy "$@" "$context"
}
