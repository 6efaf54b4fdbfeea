# What each script here begins with: an environment without the pipeline around it, the binaries under test, a folder
# that goes when the script does, and how to say what was expected. Sourced; the script is then in the root of the
# repository.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null
. .ci/tools.bash

# A pipeline around this one, or a git hook, must not speak for the ones in here. Proxies stay: installing needs them.
mapfile -t names < <(git rev-parse --local-env-vars)
unset "${names[@]}" CI TF_BUILD JENKINS_URL XDG_CONFIG_HOME
for name in $(compgen -e); do
  case $name in ACT_* | ACTIONS_* | AGENT_* | BUILD_* | CI_* | EPM_* | GITHUB_* | GITLAB_* | INPUT_* | RUNNER_* | SYSTEM_*) unset "$name" ;; esac
done

musl=x86_64-unknown-linux-musl
target="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")"
# shellcheck disable=SC2034 # for the scripts
{
  static="$target/$musl/release/epm-gate"
  sandbox="$target/debug/epm-sandbox"
  first_id=2100 # the first that a sandbox gives out
}

# The password of every sandbox here, as it is and as Basic authentication sends it.
export EPM_SANDBOX_PASSWORD='Sand+b0x/pa55?w0rd'
secrets=(-e "$EPM_SANDBOX_PASSWORD")
for login in "$EPM_SANDBOX_PASSWORD" "close.bot@example.com:$EPM_SANDBOX_PASSWORD"; do
  secrets+=(-e "$(printf '%s' "$login" | base64 --wrap=0)")
done

script="${0##*/}"
work="$(mktemp --directory)"
output="$work/output"
requests="$work/requests" # what a sandbox logs that is started with `--log "$requests"`
mkfifo "$work/pause"
leftovers=()
trap clean_up EXIT

# What is to be done at the end, the newest first.
at_end() {
  leftovers=("$1" "${leftovers[@]}")
}

clean_up() {
  local code=$? end
  for end in "${leftovers[@]}"; do
    $end || true
  done
  rm -rf "$work"
  exit "$code"
}

say() {
  printf '%s (after %d s)\n' "$1" "$SECONDS"
}

fail() {
  if [ -s "$output" ]; then
    printf 'the last command said:\n' >&2
    sed 's/^/  /' "$output" >&2
  fi
  printf '%s: %s\n' "$script" "$1" >&2
  exit 1
}

# Builds what is missing of the binaries under test: .ci/run has built both by now.
built() {
  [ -x "$sandbox" ] || cargo build --quiet --locked --package epm-sandbox
  if ! [ -x "$static" ]; then
    rustup target add "$musl"
    cargo build --quiet --locked --release --target "$musl" --package epm-gate
  fi
}

# Starts a sandbox with these flags, in place of the one before it. Where it is, and its user, is in the environment.
serve() {
  local address="$work/address"
  stop_serving
  if ! [ -p "$address" ]; then
    mkfifo "$address"
    at_end stop_serving
  fi
  "$sandbox" serve "$@" >"$address" 2>"$work/sandbox.log" &
  serving=$!
  {
    read -r _ _ EPM_URL
    read -r _ EPM_USERNAME
    read -r _ EPM_PASSWORD
  } <"$address"
  export EPM_URL EPM_USERNAME EPM_PASSWORD
}
serving=

# Ends the sandbox, and waits until it has let go of the pipe, which the next one writes its address to.
stop_serving() {
  [ -n "$serving" ] || return 0
  kill "$serving"
  wait "$serving" || true
  serving=
}

# So many jobs were submitted, as a sandbox has logged its requests.
submits() {
  local seen
  seen="$(grep --fixed-strings --count '"method":"POST","path":"/aif/rest/V1/jobs"' "${2:-$requests}" || true)"
  [ "$seen" -eq "$1" ] || fail "$seen submits in place of $1"
}

# Waits for a moment, without a process that could be left behind.
pause() {
  read -r -t 0.05 <>"$work/pause" || true
}

# Waits until a file says this.
until_said() {
  for _ in $(seq 1 600); do
    if grep --quiet --fixed-strings -- "$2" "$1" 2>/dev/null; then return; fi
    pause
  done
  [ "$1" = "$output" ] || cp "$1" "$output"
  fail "$1 never said: $2"
}

# Runs a command that must end with this code; what it says is kept in $output, and holds no secret.
expect() {
  local expected=$1 code=0
  shift
  "$@" >"$output" 2>&1 || code=$?
  if grep --fixed-strings "${secrets[@]}" "$output"; then fail "the password of the sandbox is in what was said: $*"; fi
  [ "$code" -eq "$expected" ] || fail "exit code $code in place of $expected: $*"
}

# The last command said each of these.
said() {
  local text
  for text in "$@"; do
    grep --fixed-strings --quiet -- "$text" "$output" || fail "not said: $text"
  done
}

# The last command said none of these.
not_said() {
  local text
  for text in "$@"; do
    if grep --fixed-strings --quiet -- "$text" "$output"; then fail "said: $text"; fi
  done
}

# A file has this line once.
has_line() {
  [ "$(grep --fixed-strings --line-regexp --count -- "$2" "$1")" -eq 1 ] || fail "$1 has not one line \`$2\`"
}

# The value of a key in Cargo.toml.
manifest() {
  sed --quiet "s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml
}

# Puts everything in a folder into a git repository of its own, and commits it.
committed() {
  local git=(env GIT_CONFIG_GLOBAL=/dev/null git -C "$1")
  [ -d "$1/.git" ] || "${git[@]}" init --quiet --initial-branch main
  "${git[@]}" add --all
  "${git[@]}" -c user.name=pipeline -c user.email=pipeline@example.com commit --quiet --message 'As it is now'
}
