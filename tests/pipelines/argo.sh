#!/usr/bin/env bash
# Holds examples/argo to the models of Argo's API (from PyPI's hera) and its pods to the schema of Kubernetes, and runs
# the pods of two entities at once against one sandbox: to their ends, and killed while they wait. Needs root.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/pods.bash"

template=examples/argo/workflowtemplate.yaml

# Neither the template nor a pod of it has a key or a value that its API does not know.
schemas() {
  say 'the schemas'
  expect 0 "$python" - "$template" <<'EOF_PYTHON'
import sys
import yaml
from hera.shared import _pydantic

_pydantic.APIBaseModel.model_config["extra"] = "forbid"  # ahead of the models, which inherit it

from hera.workflows.models import WorkflowTemplate

WorkflowTemplate.model_validate(yaml.safe_load(open(sys.argv[1])))
EOF_PYTHON
  cluster argo "$template" load-x7k2p "$pods" period=Feb-26 'entities=["1000", "2000"]'
  cluster argo "$template" load-defaults "$pods"
  valid "$pods"/*.json
  [ "$(find "$pods" -name 'load-defaults-*.json' | wc --lines)" -eq 3 ] || fail 'not a pod for each entity'
}

# An output parameter of a pod, as the template says where it is.
parameter() {
  local path
  path="$(sed --quiet "s/^$2 //p" "$pods/$1.outputs")"
  [ -n "$path" ] || fail "the template has no output parameter $2"
  cat "$work/root/empty/$1/outputs/${path#/tmp/epm/}"
}

# A pod left this output.
left() {
  [ "$(parameter "$1" "$2")" = "$3" ] || fail "$2 of $1 is $(parameter "$1" "$2")"
}

# Argo tries a pod again that ended with this code and this status.
tried_again() {
  local answer
  answer="$(cluster retries "$template" load "$2" "$3")"
  [ "$answer" = "$1" ] || fail "tried again: $answer, after exit code $2 and status $3"
}

# Two entities load side by side, through one ledger. The pods of both are lost, and those in their place attach.
entities() {
  local entity job_ids pod variables
  say 'two entities at once, whose pods are lost'
  begin
  lose_pods load-x7k2p-0 load-x7k2p-1
  submits 2
  run_pod 0 load-x7k2p-0
  run_pod 0 load-x7k2p-1
  submits 2
  for pod in load-x7k2p-0 load-x7k2p-1; do
    left "$pod" status 0
    left "$pod" outcome succeeded
    left "$pod" submitted no
  done
  job_ids="$(for pod in load-x7k2p-{0,1}; do parameter "$pod" jobId && echo; done | sort | tr '\n' ' ')"
  [ "$job_ids" = "$first_id $((first_id + 1)) " ] || fail "the jobs are $job_ids"
  for entity in 1000 2000; do
    variables='{"STARTPERIOD":"Feb-26","ENDPERIOD":"Feb-26","ENTITY":"'$entity'"}'
    grep --quiet --fixed-strings '{"jobType":"PIPELINE","jobName":"ENTITYLOAD","variables":'"$variables}" "$requests" ||
      fail "entity $entity was not submitted as it should: $(cat "$requests")"
  done
}

# The outputs of a load that failed are there too, and it is not tried again.
failed() {
  say 'the job fails'
  begin fails-with-rejected-rows
  run_pod 10 load-x7k2p-0
  left load-x7k2p-0 outcome failed
  left load-x7k2p-0 submitted yes
  left load-x7k2p-0 jobId "$first_id"
  [ -n "$(parameter load-x7k2p-0 logFileName)" ] || fail 'no logFileName'
  tried_again False 10 Failed
  tried_again False 24 Failed
  tried_again True 31 Failed
  tried_again True 137 Failed
  tried_again True -1 Failed
  tried_again True -1 Error
  tried_again False 10 Error
}

schemas
entities
failed
no_secret
say 'Argo holds'
