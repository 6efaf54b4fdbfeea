#!/usr/bin/env bash
# Holds examples/azure to Azure's schema, and runs its bash steps as the agent runs them (azure.py), stage by stage,
# against sandboxes: a pass, a failure, a deadline, a cancel, a variable that nobody defined, hostile texts, the
# installation. Needs the network for pip the first time.
# shellcheck disable=SC2016,SC2089,SC2090 # what stands in single quotes is for another shell, or for none
. "${BASH_SOURCE[0]%/*}/prelude.bash"

state="$work/state.json"
export AGENT_TEMP="$work/temp"

# A pipeline that has not begun, on an agent with an empty temporary folder.
begin() {
  rm -rf "$AGENT_TEMP"
  mkdir "$AGENT_TEMP"
  echo '{}' >"$state"
}

# Runs a stage in a sandbox, its variable group filled in; the gate is on the agent's PATH.
stage() {
  PATH="$gate_at:$PATH" .tools/venv/bin/python tests/pipelines/azure.py "$state" "$@" \
    epmUrl="$EPM_URL" epmUsername="$EPM_USERNAME" epmPassword="$EPM_PASSWORD" EPM_POLL_MIN=50ms
}

# These commands, in one sandbox, end with this code, and it has seen so many submits.
ends() {
  local expected=$1 submits=$2 commands=$3
  shift 3
  rm -f "$requests"
  expect "$expected" "$sandbox" exec --log "$requests" "$@" -- bash -euc "$commands"
  submits "$submits"
}

# A stage has left this result, and in this output of its gate this value.
left() {
  local found
  found="$(.tools/venv/bin/python -c '
import json, sys
stage = json.load(open(sys.argv[1]))[sys.argv[2]]
print(stage["result"], [outputs.get("gate." + sys.argv[3]) for outputs in stage.get("outputs", {}).values()])
' "$state" "$1" "$3")"
  [ "$found" = "$2 ['$4']" ] || fail "$1 has left in $3: $found"
}

# A stage was left out.
skipped() {
  said "stage $1: Skipped, exit code 0"
}

# What a stage gave the agent to publish: one summary, one error or none, and a test that has this end.
published() {
  .tools/venv/bin/python -c '
import json, sys
from junitparser import Error, Failure, JUnitXml
stage = json.load(open(sys.argv[1]))[sys.argv[2]]
assert len(stage["summaries"]) == 1 and "epm-gate" in stage["summaries"][0], stage["summaries"]
errors = [issue for issue in stage["issues"] if issue.startswith("error: ")]
assert len(errors) == int(sys.argv[3] != "passed"), errors
[case] = [case for suite in JUnitXml.fromfile(stage["results"][0]) for case in suite]
ends = {(): "passed", (Failure,): "failed", (Error,): "error"}
assert ends[tuple(type(result) for result in case.result)] == sys.argv[3], case.result
' "$state" "$1" "$2" || fail "$1 has not published what it should have"
}

# For the schema a number is no text; for Azure each scalar is one.
schemas() {
  local azure=(check-jsonschema --builtin-schema vendor.azure-pipelines --data-transform azure-pipelines)
  say 'the schema'
  sed "s/: \([0-9][0-9]*\)\( #.*\)\?\$/: '\1'/" examples/azure/azure-pipelines.yml >"$work/azure-pipelines.yml"
  expect 0 "${azure[@]}" "$work/azure-pipelines.yml" examples/azure/templates/epm-gate.yml
  sed 's/timeoutInMinutes/timeoutInHours/' "$work/azure-pipelines.yml" >"$work/wrong.yml"
  expect 1 "${azure[@]}" "$work/wrong.yml"
}

passes() {
  say 'both stages pass, the second knows the job of the first'
  begin
  ends 0 2 'stage Test; stage Prod; stage Follow; stage Tell'
  left Test Succeeded jobId "$first_id"
  left Test Succeeded outcome succeeded
  said "job $first_id has loaded TEST"
  left Prod Succeeded jobId "$((first_id + 1))"
  published Test passed
  skipped Follow
  skipped Tell
}

fails() {
  say 'a load fails: its exit code, its outputs, its test, and the stage that tells of it'
  begin
  ends 0 2 'stage Test; stage Prod PARAMETER:jobName=FAILS_WITH_REJECTED_ROWS || echo "ended with $?"
    stage Follow; stage Tell'
  said 'ended with 10' "TEST: job $first_id ended as succeeded" "PROD: job $((first_id + 1)) ended as failed"
  left Prod Failed exitCode 10
  published Prod failed
  skipped Follow
  begin
  ends 0 1 'stage Test PARAMETER:jobName=CANCELLED || echo "ended with $?"; stage Prod; stage Follow; stage Tell'
  said 'ended with 11' "TEST: job $first_id ended as cancelled" 'PROD: job none ended as nothing'
  left Test Failed outcome cancelled
  skipped Prod
  skipped Follow
}

follows() {
  say 'a deadline passes, and the next stage waits on for the same job'
  begin
  printf '[[job]]\npolls = [{ status = -1, lasts = "3s" }, { status = 0 }]\n' >"$work/long.toml"
  ends 0 2 'stage Test; stage Prod PARAMETER:timeout=1s || echo "ended with $?"; stage Follow; stage Tell' \
    --scenario "$work/long.toml"
  said 'ended with 20'
  left Prod Failed jobId "$((first_id + 1))"
  left Follow Succeeded jobId "$((first_id + 1))"
  left Follow Succeeded submitted no
  skipped Tell
}

submits_only() {
  say 'submit only'
  begin
  ends 0 1 'stage Test PARAMETER:command=submit PARAMETER:jobName=NEVER_ENDS'
  left Test Succeeded outcome submitted
  left Test Succeeded jobId "$first_id"
}

# The task sends SIGTERM to its bash, and only to that.
cancelled() {
  say 'a cancel reaches the gate'
  begin
  ends 143 1 'CANCEL_AT="in progress" stage Test PARAMETER:jobName=NEVER_ENDS'
  left Test Canceled outcome interrupted
  left Test Canceled exitCode 143
  left Test Canceled jobId "$first_id"
}

undefined() {
  say 'a variable that is not defined stays as it is written, and is no password'
  begin
  ends 2 0 'stage() {
      .tools/venv/bin/python tests/pipelines/azure.py "$state" "$@" epmUrl="$EPM_URL" epmUsername="$EPM_USERNAME"
    }
    PATH="$gate_at:$PATH" stage Test'
  said '`EPM_PASSWORD`' 'placeholder'
  left Test Failed outcome usage
}

hostile() {
  local name='a $(touch x) `touch x` "; touch x # '\'' ##vso[task.complete result=Succeeded;]'
  say 'hostile texts'
  begin
  ends 10 1 'stage Test PARAMETER:jobName=HOSTILE_TEXT'
  left Test Failed jobId "$first_id"
  left Test Failed outcome failed
  left Test Failed submitted yes
  published Test failed
  begin
  export name
  ends 0 1 'stage Test PARAMETER:jobName="$name"'
  [ ! -e x ] || fail 'a parameter was run'
  .tools/venv/bin/python -c '
import json, sys
[submit] = [line for line in map(json.loads, open(sys.argv[1])) if line["method"] == "POST"]
assert submit["payload"]["jobName"] == sys.argv[2], submit
' "$work/requests" "$name" || fail 'the parameter has not come through'
}

again() {
  say 'a re-run on the same agent finds the ledger'
  begin
  ends 0 1 'stage Test PARAMETER:ledger="$work/ledger.json"; stage Test PARAMETER:ledger="$work/ledger.json"'
  left Test Succeeded reused true
}

installs() {
  local folder sum
  folder="epm-gate-$(manifest version)-$musl"
  say 'the installation, and an archive that is another one'
  mkdir --parents "$work/release/$folder" "$work/nothing"
  cp "$static" "$work/release/$folder/"
  tar --create --gzip --directory "$work/release" --file "$work/release.tar.gz" "$folder"
  sum="$(sha256sum "$work/release.tar.gz")"
  export gate_at="$work/nothing" archive="file://$work/release.tar.gz" sum="${sum%% *}"
  begin
  ends 0 1 'stage Test PARAMETER:archive="$archive" PARAMETER:sha256="$sum"'
  said 'epm-gate.tar.gz: OK'
  left Test Succeeded outcome succeeded
  echo >>"$work/release.tar.gz"
  begin
  ends 1 0 'stage Test PARAMETER:archive="$archive" PARAMETER:sha256="$sum"'
  said 'epm-gate.tar.gz: FAILED'
}

gate_at="${static%/*}"
export -f stage
export state work gate_at
pypi
built
schemas
passes
fails
follows
submits_only
cancelled
undefined
hostile
again
installs
say 'examples/azure holds'
