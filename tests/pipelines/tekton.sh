#!/usr/bin/env bash
# Holds examples/tekton to tekton-lint and its pod to the schema of Kubernetes, and runs the step against a sandbox: its
# results, their size, and a retry after its pod is lost. Needs root.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/pods.bash"

results=(jobId status outcome exitCode submitted logFileName)

# The linter has nothing to say, and the step is a container.
schemas() {
  say 'the linter and the schemas'
  npm_packages
  expect 0 tekton-lint --max-warnings 0 'examples/tekton/*.yaml'
  cluster tekton examples/tekton/task.yaml examples/tekton/taskrun.yaml gl-data-load-x7k2p "$pods"
  valid "$pods"/*.json
}

# A result of the step is this, without a newline at its end.
is() {
  printf %s "$2" | cmp --silent - "$found/$1" || fail "the result $1 is $(cat "$found/$1")"
}

# All results are there, and their message is not too long for Tekton.
fits() {
  local message size
  found="$work/root/empty/gl-data-load-x7k2p/results"
  message="$(cluster termination examples/tekton/task.yaml "$found")"
  size="$(printf %s "$message" | wc --bytes)"
  say "the message of the results has $size bytes"
  [ "$size" -le 4096 ] || fail "4096 bytes at most: $message"
  [ "$(grep --only-matching '"type":1' <<<"$message" | wc --lines)" -eq "${#results[@]}" ] ||
    fail "other results: $message"
  [ "$(cat "$found"/* | wc --bytes)" -le 3072 ] || fail 'the outputs have more than 3 KB together'
}

# A retry of the TaskRun has its name, and attaches.
lost() {
  say 'the pod is lost while its job runs'
  begin
  lose_pods gl-data-load-x7k2p
  run_pod 0 gl-data-load-x7k2p
  said "(job $first_id) passed" 'attach'
  submits 1
  fits
  is jobId "$first_id"
  is status 0
  is outcome succeeded
  is exitCode 0
  is submitted no
}

# Tekton keeps the results of a step that failed.
failed() {
  say 'the job fails, and all its texts try to be something else'
  begin hostile-text
  run_pod 10 gl-data-load-x7k2p
  submits 1
  fits
  is jobId "$first_id"
  is status 1
  is outcome failed
  is exitCode 10
  is submitted yes
}

schemas
lost
failed
no_secret
say 'Tekton holds'
