#!/usr/bin/env bash
# Plays each workflow of examples/github/ in a real runner (nektos/act) against sandboxes, as it stands there: passing,
# failing, killed and run again, with every submit counted. Some things are not the real ones: the release is made here,
# and a copy of the action names it; `actions/cache`, whose code is out of reach, has a stand-in that keeps files in a
# folder, `actions/attest` one that signs nothing, `actions/upload-artifact` one that keeps nothing, and `gh` one that keeps
# what it is told. act knows no `queue` yet, so that line is left out; it enforces neither `concurrency` nor environments,
# and when it runs again it runs all jobs.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/act.bash"

# A cache as `actions/cache` keeps one: the exact key, or the newest that a prefix finds; a key is saved once, and what
# is not there is not saved.
stand_in_for_cache() {
  mkdir --parents "$work/cache-action/restore" "$work/cache-action/save"
  cat >"$work/cache-action/restore/action.yml" <<'YAML'
name: restore
description: stand-in
inputs: { path: { required: true }, key: { required: true }, restore-keys: { required: true } }
runs:
  using: composite
  steps:
    - shell: bash
      env: { FILE: '${{ inputs.path }}', KEY: '${{ inputs.key }}', PREFIX: '${{ inputs.restore-keys }}' }
      run: |
        found="$KEY"
        [ -e "$CACHES/$KEY" ] || found="$(cd "$CACHES" && ls -t | grep --max-count=1 "^$PREFIX" || true)"
        [ -z "$found" ] || cp "$CACHES/$found" "$FILE"
        echo "restored: ${found:-nothing}"
YAML
  cat >"$work/cache-action/save/action.yml" <<'YAML'
name: save
description: stand-in
inputs: { path: { required: true }, key: { required: true } }
runs:
  using: composite
  steps:
    - shell: bash
      env: { FILE: '${{ inputs.path }}', KEY: '${{ inputs.key }}' }
      run: |
        if [ ! -e "$FILE" ] || [ -e "$CACHES/$KEY" ]; then exit 0; fi
        cp "$FILE" "$CACHES/$KEY"
        echo "saved: $KEY"
YAML
}

# A `gh` that keeps what it is given: its variables and arguments, a NUL after each, and the body.
stand_in_for_gh() {
  mkdir --parents "$work/bin"
  cat >"$work/bin/gh" <<'BASH'
#!/usr/bin/env bash
set -eu
printf '%s\0' "$GH_REPO" "$GH_TOKEN" "$@" >>"$GH_CALLS"
cat body.md >"$GH_CALLS.body"
BASH
  chmod +x "$work/bin/gh"
}

# Signs nothing, but takes what `actions/attest` takes: a predicate that is JSON, and files that are there. It says which.
# What is kept as an artifact is named by one for `actions/upload-artifact`.
stand_in_for_attest() {
  mkdir --parents "$work/attest-action" "$work/artifact-action"
  cat >"$work/attest-action/action.yml" <<'YAML'
name: attest
description: stand-in
inputs: { subject-path: { required: true }, predicate-type: { required: true }, predicate-path: { required: true } }
runs:
  using: composite
  steps:
    - shell: bash
      env: { SUBJECTS: '${{ inputs.subject-path }}', TYPE: '${{ inputs.predicate-type }}', FILE: '${{ inputs.predicate-path }}' }
      run: |
        result="$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["result"])' "$FILE")"
        echo "attested as $result by $TYPE"
        shopt -s nullglob
        for subject in $SUBJECTS; do
          if [ -f "$subject" ]; then echo "attested: $subject"; fi
        done
YAML
  cat >"$work/artifact-action/action.yml" <<'YAML'
name: upload-artifact
description: stand-in
inputs: { name: { required: true }, path: { required: true } }
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: '${{ inputs.name }}', PATHS: '${{ inputs.path }}' }
      run: echo "kept as $NAME:" $PATHS
YAML
}

# Takes an example, changed by a script of sed where one is given, into a repository of its own, with no cache of
# earlier runs.
example() {
  local file
  workflow="$1"
  rm -rf "$work/caches" "$work/repository"
  mkdir --parents "$work/caches" "$work/repository/.github/workflows"
  file="$work/repository/.github/workflows/$workflow"
  sed '/^ *queue: max\( #.*\)\?$/d' "examples/github/$workflow" >"$file.in"
  sed "${2:-}" "$file.in" >"$file"
  if [ $# -gt 1 ] && cmp --quiet "$file" "$file.in"; then fail "nothing to change in $workflow: $2"; fi
  rm "$file.in"
  committed "$work/repository"
}

# Starts a sandbox that plays a scenario, one that is shipped or the text on stdin, and ends the one before.
play() {
  local scenario="$1"
  if [ "$scenario" = - ]; then
    scenario="$work/scenario.toml"
    cat >"$scenario"
  fi
  : >"$work/requests"
  serve --scenario "$scenario" --log "$work/requests"
}

# One attempt of a run of the workflow.
attempt() {
  rm -f "$work/gh-calls" "$work/gh-calls.body"
  export PATH="$work/bin:$PATH"
  play_workflow_for_sandbox workflow_dispatch "$workflow" --input period=Jan-26 \
    --local-repository "actions/cache@$(commit_of cache)=$work/cache-action" \
    --local-repository "actions/attest@$(commit_of attest)=$work/attest-action" \
    --local-repository "actions/upload-artifact@$(commit_of upload-artifact)=$work/artifact-action" \
    --env GITHUB_RUN_ID="$1" --env GITHUB_RUN_ATTEMPT="$2" --env CACHES="$work/caches" --env GH_CALLS="$work/gh-calls" \
    --env EPM_POLL_MIN=50ms --secret GITHUB_TOKEN=not-a-token
}

# The commit of this action that the workflow names: one, or `none`.
commit_of() {
  local commit
  commit="$(sed --quiet 's/.*uses: actions\/'"$1"'\(\/[a-z]*\)\?@\([0-9a-f]*\) # v[0-9.]*$/\2/p' \
    "$work/repository/.github/workflows/$workflow" | sort --unique)"
  printf '%s\n' "${commit:-none}"
}

# Plays one attempt, which must pass or not.
passes() {
  expect 0 in_place "$@"
}

fails() {
  expect 1 in_place "$@"
}

# Not in the script's own folder, nor its process.
in_place() {
  (attempt "$@")
}

# These jobs of the workflow have ended so, and no others have run.
jobs_ended() {
  local ended
  ended="$(sed --quiet 's/.*"jobID":"\([^"]*\)".*"jobResult":"\([^"]*\)".*/\1=\2/p' "$output" | sort | xargs)"
  [ "$ended" = "$*" ] || fail "the jobs ended as $ended, and not as $*"
}

# The gates have ended so.
outcomes() {
  local ended step='"stepID":\["[^"]*","gate"\]'
  ended="$(sed --quiet 's/.*"arg":"\([^"]*\)".*"name":"outcome".*'"$step"'.*/\1/p' "$output" | sort | xargs)"
  [ "$ended" = "$*" ] || fail "the gates ended as $ended, and not as $*"
}

# The sandbox got so many submits with this text in them.
submitted() {
  [ "$(grep --fixed-strings '"method":"POST"' "$work/requests" | grep --fixed-strings --count -- "$1")" -eq "$2" ] ||
    fail "not $2 submits with $1: $(cat "$work/requests")"
}

# Kills the gate, once the sandbox has so many requests of this method, and waits for the runner.
kills_at() {
  local method=$1 count=$2 gate code=0
  shift 2
  (attempt "$@") >"$output" 2>&1 &
  runner=$!
  until [ "$(grep --count "\"method\":\"$method\",\"path\":\"/aif/rest/V1/jobs" "$work/requests")" -ge "$count" ]; do
    kill -0 "$runner" || fail 'the run has ended before'
    pause
  done
  gate="$(pgrep --parent "$runner" --exact epm-gate)" || fail 'the gate is no child of the runner'
  kill -KILL "$gate"
  wait "$runner" || code=$?
  runner=
  [ "$code" -eq 1 ] || fail "exit code $code in place of 1"
}

# Ends the runner, if one is waited for.
stop_runner() {
  [ -z "${runner:-}" ] || kill "$runner"
}

submit_and_gate() {
  say 'submit-and-gate: passes; run again it loads nothing, and a new run is a new load'
  example submit-and-gate.yml
  play succeeds
  passes 7 1
  submits 1
  submitted '"jobName":"GL_DATA_LOAD","periodName":"{Jan-26}"' 1
  jobs_ended load=success next-stage=success
  said 'restored: nothing' 'saved: epm-ledger-7-load-attempt-1' '::set-output:: outcome=succeeded"'
  passes 7 2
  submits 1
  jobs_ended load=success next-stage=success
  said 'restored: epm-ledger-7-load-attempt-1' 'saved: epm-ledger-7-load-attempt-2' '::set-output:: reused=true"'
  passes 77 1
  submits 2
  said 'restored: nothing' '::set-output:: reused=false"'

  say 'submit-and-gate: fails; run again it submits anew'
  example submit-and-gate.yml
  play fails-then-succeeds
  fails 7 1
  submits 1
  jobs_ended load=failure
  said 'saved: epm-ledger-7-load-attempt-1'
  passes 7 2
  submits 2
  jobs_ended load=success next-stage=success

  say 'submit-and-gate: the gate is killed while it waits; run again it follows the same job'
  example submit-and-gate.yml
  play - <<<'[[job]]
polls = [{ status = -1 }, { fault = "hang" }, { status = 0 }]'
  kills_at GET 2 7 1
  submits 1
  jobs_ended load=failure
  said 'saved: epm-ledger-7-load-attempt-1'
  passes 7 2
  submits 1
  said '::set-output:: jobId='$first_id'"' '::set-output:: submitted=no"'
  jobs_ended load=success next-stage=success

  say 'submit-and-gate: the gate is killed while it submits; run again it submits nothing'
  example submit-and-gate.yml
  play hang-submit
  kills_at POST 1 7 1
  said 'saved: epm-ledger-7-load-attempt-1'
  fails 7 2
  submits 1
  jobs_ended load=failure
  said '::set-output:: outcome=submit-uncertain"' '::set-output:: submitted=maybe"'
}

submit_then_attach() {
  say 'submit-then-attach: passes; all of it run again loads nothing'
  example submit-then-attach.yml
  play succeeds
  passes 7 1
  submits 1
  jobs_ended attach=success submit=success
  said '::set-output:: outcome=submitted"' '::set-output:: outcome=succeeded"'
  passes 7 2
  submits 1
  jobs_ended attach=success submit=success
  said 'restored: epm-ledger-7-gl-attempt-1-attach' 'restored: epm-ledger-7-gl-attempt-2-submit'

  say 'submit-then-attach: the job fails; all of it run again submits anew, by what `attach` has written'
  example submit-then-attach.yml
  play fails-then-succeeds
  fails 7 1
  submits 1
  jobs_ended attach=failure submit=success
  passes 7 2
  submits 2
  jobs_ended attach=success submit=success

  say 'submit-then-attach: `attach` is killed; all of it run again follows the same job'
  example submit-then-attach.yml
  play - <<<'[[job]]
polls = [{ status = -1 }, { fault = "hang" }, { status = 0 }]'
  kills_at GET 2 7 1
  jobs_ended attach=failure submit=success
  passes 7 2
  submits 1
  jobs_ended attach=success submit=success

  say 'submit-then-attach: nobody knows what became of the submit; nothing is attached to, and nothing submitted again'
  example submit-then-attach.yml
  play reset-after-submit
  fails 7 1
  jobs_ended submit=failure
  fails 7 2
  submits 1
  jobs_ended submit=failure
  said '::set-output:: outcome=submit-uncertain"'

  say 'submit-then-attach: an id that got lost on the way is no load'
  example submit-then-attach.yml 's/steps\.gate\.outputs\.jobId/steps.gate.outputs.nothing/'
  play succeeds
  fails 7 1
  submits 1
  jobs_ended attach=failure submit=success
  said '::set-output:: outcome=usage"'
}

matrix() {
  say 'matrix: a leg fails; run again it alone submits anew'
  example matrix.yml
  play - <<<'[[job]]
[[job]]
name = "FA_DATA_LOAD"
polls = [{ status = 1 }]
[[job]]
name = "FA_DATA_LOAD"'
  fails 7 1
  submits 3
  # Not by the results of the jobs: act gives those of one matrix a common one.
  outcomes failed succeeded succeeded
  not_said '"jobID":"close"'
  passes 7 2
  submits 4
  submitted '"jobName":"GL_DATA_LOAD","periodName":"{Jan-26}"' 1
  submitted '"jobName":"FA_DATA_LOAD","periodName":"{Jan-26}"' 2
  submitted '"jobName":"HR_DATA_LOAD","periodName":"{Jan-26}"' 1
  jobs_ended close=success load=success load=success load=success

  say 'matrix: of two names one begins with the other'
  example matrix.yml 's/\[GL_DATA_LOAD, .*\]/[GL, GL-2]/'
  play succeeds
  passes 7 1
  passes 7 2
  submits 2
}

approval() {
  say 'approval: refuses a host that is not the one of the environment'
  example approval.yml
  play succeeds
  fails 7 1
  submits 0
  jobs_ended test=failure

  say 'approval: PROD is not reached before TEST has passed'
  example approval.yml 's/\(expect-host: \).*/\1127.0.0.1/'
  play fails-then-succeeds
  fails 7 1
  submits 1
  jobs_ended test=failure
  passes 7 2
  submits 3
  jobs_ended prod=success test=success
  passes 7 3
  submits 3
}

# The issue that was opened: by one call, to this repository, with this title.
issue() {
  printf '%s\0' nektos/act not-a-token issue create --title "The nightly EPM load did not pass: $1" \
    --body-file body.md >"$work/gh-expected"
  cmp "$work/gh-expected" "$work/gh-calls" || fail "gh was called with: $(tr '\0' '\n' <"$work/gh-calls")"
}

# What is no code in the issue is what the example says.
body() {
  grep --invert-match '^    ' "$work/gh-calls.body" | sed '/^$/d' >"$work/prose"
  printf '%s\n' "Outcome: $1, EPM job: $2" \
    'The summary of the run says why, and what to do next: https://github.com/nektos/act/actions/runs/7' |
    cmp - "$work/prose" || fail "the issue says: $(cat "$work/gh-calls.body")"
}

open_issue() {
  say 'open-issue: passes, and no issue is opened'
  example open-issue.yml
  play succeeds
  passes 7 1
  [ ! -e "$work/gh-calls" ] || fail 'an issue was opened'
  jobs_ended load=success

  say 'open-issue: what EPM says is data'
  example open-issue.yml
  play - <<TOML
[[job]]
polls = [{ status = 1, details = """
\$(touch $work/shell) \`touch $work/shell\`
"; touch $work/shell; ' \${{ secrets.EPM_PASSWORD }}
EOF
\$PASSWORD %s \\\\n @everyone
\\r# a heading
""" }]
TOML
  fails 7 1
  issue failed
  body 'failed (exit 10)' "$first_id"
  [ ! -e "$work/shell" ] || fail 'a text of EPM was run by a shell'
  if grep --fixed-strings --quiet "$EPM_PASSWORD" "$work/gh-calls.body"; then fail 'the password is in the issue'; fi
  has_line "$work/gh-calls.body" "    \$(touch $work/shell) \`touch $work/shell\`"
  jobs_ended load=failure report=success

  say 'open-issue: texts that try to be commands and markup'
  example open-issue.yml
  play hostile-text
  fails 7 1
  issue failed
  body 'failed (exit 10)' "$first_id"
  if LC_ALL=C grep --quiet $'[\r\033]' "$work/gh-calls.body"; then fail 'a control character in the issue'; fi

  say 'open-issue: nothing was submitted'
  example open-issue.yml
  play unauthorized
  fails 7 1
  submits 0
  issue access-denied
  body 'access-denied (exit 30)' none
}

attest() {
  local type=https://in-toto.io/attestation/test-result/v0.1
  say 'attest: passes, and report and log are signed and kept'
  example attest.yml
  play succeeds
  passes 7 1
  submits 1
  jobs_ended load=success
  said "attested as PASSED by $type" 'attested: epm-report.json' 'attested: epm-files/' \
    'kept as epm-record-attempt-1: epm-report.json epm-files' '::set-output:: reportPath=epm-report.json"'

  say 'attest: a failure is signed as one'
  example attest.yml
  play fails-with-rejected-rows
  fails 7 1
  jobs_ended load=failure
  said "attested as FAILED by $type" 'attested: epm-report.json' 'attested: epm-files/'

  say 'attest: what was never submitted is on the record too'
  example attest.yml
  play unauthorized
  fails 7 1
  submits 0
  said "attested as FAILED by $type" 'attested: epm-report.json'
}

released "$static" "$musl"
action_of_release
stand_in_for_cache
stand_in_for_attest
stand_in_for_gh
at_end stop_runner
submit_and_gate
submit_then_attach
matrix
approval
open_issue
attest
say 'the examples for GitHub hold'
