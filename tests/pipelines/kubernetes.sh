#!/usr/bin/env bash
# Holds examples/kubernetes to the schema of Kubernetes, and runs the pods of its Job and its CronJob against a sandbox:
# to their ends, and killed while they wait, with what podFailurePolicy makes of each end. Needs root.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/pods.bash"

# Each manifest, and each of its pods.
schemas() {
  say 'the schemas'
  valid examples/kubernetes/*.yaml
  cluster kubernetes examples/kubernetes/job.yaml gl-data-load-jan-26 "$pods"
  cluster kubernetes examples/kubernetes/cronjob.yaml gl-data-load-29384790 "$pods"
  cluster kubernetes examples/kubernetes/cronjob.yaml gl-data-load-29386230 "$pods"
  valid "$pods"/*.json
}

# The action that a Job takes after a pod that ended so.
decides() {
  local action
  action="$(cluster policy "examples/kubernetes/$1" "${@:3}")"
  [ "$action" = "$2" ] || fail "$action in place of $2 after ${*:3}"
}

# A node is lost in the middle of the wait: the next pod attaches, and nothing is loaded twice.
disrupted() {
  local manifest=$1 name=$2
  say "$manifest: a pod is lost while its job runs"
  begin
  lose_pods "$name-pod"
  decides "$manifest" Ignore 137 DisruptionTarget
  decides "$manifest" Count 137
  run_pod 0 "$name-pod"
  said "(job $first_id) passed" 'attach'
  submits 1
}

# A verdict is final; its reason is in what `kubectl describe pod` shows, the end of the log.
failed() {
  say 'the job fails'
  begin fails-with-rejected-rows
  run_pod 10 gl-data-load-jan-26-pod
  decides job.yaml FailJob 10
  # A node that is drained just then makes no other verdict of it.
  decides job.yaml FailJob 10 DisruptionTarget
  decides cronjob.yaml FailJob 24 DisruptionTarget
  tail --bytes=2048 "$work/gl-data-load-jan-26-pod.log" >"$output"
  said "error: \`GL_DATA_LOAD\` (job $first_id) failed" 'hint: '
  submits 1
}

# Nothing was submitted, so another pod may try.
unreachable() {
  say 'EPM cannot be reached'
  begin unavailable-for-ever
  EPM_OUTAGE_BUDGET=1s run_pod 31 gl-data-load-jan-26-pod
  decides job.yaml Count 31
  decides cronjob.yaml Count 31
  decides job.yaml Ignore 143 DisruptionTarget
  submits 0
}

# Each night is a load of its own, and one pod more of a night is not.
nights() {
  say 'the next night'
  run_pod 0 gl-data-load-29384790-pod
  said "(job $first_id) passed" 'nothing is submitted'
  submits 1
  run_pod 0 gl-data-load-29386230-pod
  said "(job $((first_id + 1))) passed"
  submits 2
}

schemas
disrupted job.yaml gl-data-load-jan-26
disrupted cronjob.yaml gl-data-load-29384790
nights
failed
unreachable
no_secret
say 'Kubernetes holds'
