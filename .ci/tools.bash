# The tools that the checks need and a new machine lacks: each function installs one where it is missing, mostly into
# `.tools/`, which git ignores. Sourced from the root of the repository.
# shellcheck shell=bash

PATH="$PWD/.tools/bin:$PWD/.tools/venv/bin:$PWD/.tools/node_modules/.bin:$PATH"
export PATH

# Runs an installer when no other script runs one: neither a venv nor apt takes two. macOS has no `flock`, and runs one
# script at a time.
alone() {
  mkdir -p .tools
  if command -v flock >/dev/null; then (flock 9 && "$@") 9>.tools/lock; else "$@"; fi
}

# Packages of Debian, where this command or this file is missing.
debian() {
  local wanted=$1
  shift
  if ! [ -e "$wanted" ] && ! command -v "$wanted" >/dev/null; then alone install_debian "$@"; fi
}

install_debian() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" >/dev/null
}

# The packages of PyPI that .ci/requirements.txt names.
pypi() {
  alone install_pypi
}

install_pypi() {
  if cmp --quiet .ci/requirements.txt .tools/venv/requirements.txt 2>/dev/null; then return; fi
  python3 -m venv --clear .tools/venv
  .tools/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/requirements.txt
  cp .ci/requirements.txt .tools/venv/
}

# The packages of npm that .ci/package.json names.
npm_packages() {
  alone install_npm
}

install_npm() {
  if cmp --quiet .ci/package.json .tools/npm.json 2>/dev/null; then return; fi
  rm -rf .tools/node_modules .tools/package-lock.json
  cp .ci/package.json .tools/package.json
  npm install --silent --no-audit --no-fund --prefix .tools
  cp .ci/package.json .tools/npm.json
}

# A command of crates.io, at one version.
crate() {
  alone install_crate "$@"
}

install_crate() {
  grep --quiet --fixed-strings --line-regexp "$1 v$2:" <<<"$(cargo install --root .tools --list)" ||
    cargo install --quiet --locked --root .tools "$1@$2"
}
