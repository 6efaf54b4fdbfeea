# Runs the pods of examples/ without a cluster: a sandbox, and each container as its manifest says, in an image that
# holds the binary alone. Sourced; it begins with the prelude. Needs root, for a root file system and a user of the
# container's own.
# shellcheck shell=bash
. "${BASH_SOURCE[0]%/*}/prelude.bash"

python="$PWD/.tools/venv/bin/python"
pods="$work/pods"
pypi
built

mkdir --parents "$pods" "$work/root"/{claims,empty,roots}
cp "$static" "$work/root/image"
chmod 755 "$work/root/image" "$work"

# What a cluster makes of a manifest; pods.py tells what it can say.
cluster() {
  "$python" tests/pipelines/pods.py "$@" || fail "not understood: $*"
}

# Manifests of Kubernetes have no key and no value that it does not know.
valid() {
  expect 0 kubernetes-validate --strict "$@"
}

# A sandbox, with this scenario where one is given, and volumes that are empty; the one before it ends.
begin() {
  requests="$work/requests-$((++begun))"
  [ -z "$serving" ] || no_secret
  rm -rf "$work/root"/{claims,empty}/*
  serve --log "$requests" ${1:+--scenario "$1"}
  export EPM_POLL_MIN=50ms
}
begun=0

# Ends what still runs when a test fails.
stop_all() {
  local running
  mapfile -t running < <(jobs -p)
  [ "${#running[@]}" -eq 0 ] || kill "${running[@]}"
}
at_end stop_all

# A pod's container, whose log is kept.
pod() {
  exec "$python" tests/pipelines/pods.py run "$pods/$1.json" "$work/root" >"$work/$1.log" 2>&1
}

# A pod's container runs to its end, which must have this code.
run_pod() {
  local code=0
  (pod "$2") || code=$?
  cp "$work/$2.log" "$output"
  [ "$code" -eq "$1" ] || fail "exit code $code in place of $1: the pod $2"
}

# The containers of these pods begin side by side, and are killed while they wait, as with a node that is lost. They do
# not poll until then, so that no job comes to its end.
lose_pods() {
  local pod code started=()
  for pod in "$@"; do
    : >"$work/$pod.log"
    EPM_POLL_MIN=60s pod "$pod" &
    started+=("$!")
  done
  for pod in "$@"; do
    until_said "$work/$pod.log" 'in progress'
  done
  for pod in "${started[@]}"; do
    code=0
    kill -KILL "$pod"
    wait "$pod" 2>/dev/null || code=$?
    [ "$code" -eq 137 ] || fail "exit code $code in place of 137: a pod that was killed"
  done
}

# The secret that the pods were given is in nothing that they have left.
no_secret() {
  if grep --recursive --quiet --fixed-strings -- "$EPM_PASSWORD" "$work"/*.log "$work/root"/{claims,empty}; then
    fail 'the password is in a log or on a volume'
  fi
}
