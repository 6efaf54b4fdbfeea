#!/usr/bin/env bash
# Runs examples/gitlab in a runner (gitlab-ci-local), against two sandboxes that stand for TEST and PROD: a pass, a
# failure, a warning, retries, hostile texts. What that runner does not do as GitLab does it (its parsers, its automatic
# retry) is played by gitlab.py. Needs the network for pip, npm and apt the first time.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

repository="$work/repository"
builds="$repository/.gitlab-ci-local/builds"
preview="$work/preview.yml"

# GitLab's own rules.
rules() {
  .tools/venv/bin/python "$here/gitlab.py" "$@"
}

# Puts the example into a repository, its gates loading this job.
example() {
  rm -rf "$repository"
  cp --recursive examples/gitlab "$repository"
  sed --in-place "s/GL_DATA_LOAD/$1/" "$repository/.gitlab-ci.yml"
  committed "$repository"
  git -C "$repository" remote add origin https://gitlab.example.com/acme/loads.git
  git -C "$repository" symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
}

# The project's variables, scoped to their environments as the example wants them. There are no others.
variables() {
  mkdir --parents "$work/home/.gitlab-ci-local"
  cat >"$work/home/.gitlab-ci-local/variables.yml" <<END
project:
  gitlab.example.com/acme/loads.git:
    EPM_URL: {type: variable, values: {test: '$TEST_URL', prod: '$EPM_URL'}}
    EPM_USERNAME: {type: variable, values: {test: '$EPM_USERNAME', prod: '$EPM_USERNAME'}}
    EPM_PASSWORD: {type: variable, values: {test: '$EPM_PASSWORD', prod: '$EPM_PASSWORD'}}
END
  unset EPM_URL EPM_USERNAME EPM_PASSWORD TEST_URL
}

# The runner, in that repository. It says of itself that it is not GitLab; what runs in it is to believe that it is.
local_runner() {
  cd "$repository"
  PATH="${static%/*}:$PATH" HOME="$work/home" exec gitlab-ci-local --cwd . --force-shell-executor --shell-isolation \
    --variable GITLAB_CI=true --ignore-predefined-vars GITLAB_CI,CI_PIPELINE_ID --variable EPM_POLL_MIN=50ms "$@"
}

# Within the sandbox of TEST, and with one of PROD beside it.
pipeline_at() {
  export TEST_URL="$EPM_URL"
  "$sandbox" exec --log "$work/prod" -- bash -euc 'variables; local_runner "$@"' runner "$@"
}

# The pipeline ends with this code, after so many submits to TEST and to PROD.
pipeline() {
  local expected=$1 to_test=$2 to_prod=$3
  shift 3
  rm -f "$work/test" "$work/prod"
  expect "$expected" "$sandbox" exec --log "$work/test" -- bash -euc 'pipeline_at "$@"' pipeline "$@"
  submits "$to_test" "$work/test"
  submits "$to_prod" "$work/prod"
}

# The runner says this of a job at the end: PASS, WARN, FAIL.
told() {
  grep --extended-regexp --quiet "^ *$1  *$2( |\$)" "$output" || fail "not told: $1 $2"
}

# A gate has left this line for the jobs behind it.
left() {
  has_line "$builds/$1/epm-gate.env" "$2"
}

# GitLab takes the reports of a gate, and its test case has this status.
reported() {
  rules dotenv "$builds/$1/epm-gate.env" >/dev/null
  rules annotations "$builds/$1/epm-gate-annotations.json" >/dev/null
  rules junit "$builds/$1/epm-gate.xml" "$2"
  [ -s "$repository/.gitlab-ci-local/artifacts/$1/epm-gate.html" ] || fail "$1 has no epm-gate.html among its artifacts"
}

# Both files are what GitLab's schema says: the component as its parser gets it, and the pipeline as a whole.
schemas() {
  local gitlab=(check-jsonschema --builtin-schema vendor.gitlab-ci) component=examples/gitlab/templates/epm-gate.yml
  say 'the schema'
  sed '/^---$/,$d' "$component" >"$work/header.yml"
  rules include "$component" environment=test job-name=GL_DATA_LOAD >"$work/component.yml"
  (local_runner --preview) >"$preview" 2>"$output" || fail 'the pipeline cannot be read'
  expect 0 "${gitlab[@]}" examples/gitlab/.gitlab-ci.yml "$work/header.yml" "$work/component.yml" "$preview"
  [ "$(grep --count '^      - 31$' "$preview")" -eq 2 ] || fail 'not one list of codes to retry for each gate'
}

# A text reaches the variable as it is, whatever YAML or a shell would make of it, and cannot leave its line.
inputs() {
  local component=examples/gitlab/templates/epm-gate.yml text value
  say 'inputs'
  # shellcheck disable=SC2016 # no shell is meant to expand these
  for text in '{Jan-26}{Mar-26}' '- "a": '\''b'\'' # \n' '`touch x` $$(touch x); |' '%TEMP% &a *b !c @d'; do
    rules include "$component" environment=test "job-name=$text" "period-name=$text" >"$work/component.yml"
    for value in EPM_JOB_NAME EPM_PERIOD_NAME; do
      .tools/venv/bin/python -c 'import sys, yaml
assert yaml.safe_load(open(sys.argv[1]))["epm-gate"]["variables"][sys.argv[2]] == sys.argv[3]' \
        "$work/component.yml" "$value" "$text" || fail "$value is not: $text"
    done
  done
  for text in job-name= $'job-name=a\n  script: [touch x]' 'environment=a b' when=always 'job=a"b' $'stage=a\nb'; do
    expect 1 rules include "$component" environment=test job-name=GL_DATA_LOAD "$text"
    said 'GitLab refuses this'
  done
}

passes() {
  say 'the gates pass, and the outputs reach the next stage'
  pipeline 0 1 1 --manual load-prod
  said "job $first_id ended as succeeded after "
  not_said 'ended as failed'
  reported load-test success
  reported load-prod success
  left load-test "EPM_GATE_JOB_ID=$first_id"
  left load-prod EPM_GATE_EXIT_CODE=0
  grep --fixed-strings --quiet '"periodName":"{Jan-26}"' "$work/prod" || fail 'the period has not come through'
}

# This runner calls the job failed, as it should, and then goes on as if each exit code were allowed. For GitLab an exit
# code that is not on the list is a failure as any other: so the list is taken away.
fails() {
  say 'a gate fails, and the outputs reach the job that tells it'
  example FAILS_WITH_REJECTED_ROWS
  sed --in-place '/^  allow_failure:/,/exit_codes/d' "$repository/templates/epm-gate.yml"
  committed "$repository"
  pipeline 1 1 0 --manual load-prod
  told FAIL load-test
  said "job $first_id ended as failed, "
  not_said 'ended as succeeded' "job $first_id ended as failed after"
  reported load-test failed
  left load-test EPM_GATE_EXIT_CODE=10
}

warns() {
  say 'an allowed exit code is a warning in TEST, and a failure in PROD, where nothing goes without a person'
  example WARNS
  pipeline 0 1 0
  said "job $first_id ended as condition-unmet after "
  left load-test EPM_GATE_EXIT_CODE=13
  told WARN load-test
  pipeline 0 1 1 --manual load-prod --variable EPM_FAIL_ON_WARNING=true
  told WARN load-test
  told FAIL load-prod
}

# Starts the gate of TEST as often as GitLab would start it, all in one pipeline, and ends as the last one did.
with_retries() {
  local attempt code
  for ((attempt = 1; ; attempt++)); do
    (local_runner load-test --variable CI_PIPELINE_ID=77 --variable EPM_OUTAGE_BUDGET=1ms) || true # see `fails`
    code="$(sed --quiet 's/^EPM_GATE_EXIT_CODE=//p' "$builds/load-test/epm-gate.env")"
    echo "attempt $attempt of load-test ended with $code"
    if [ "$code" -eq 0 ] || ! rules retried "$preview" load-test "$code" "$attempt"; then return "$code"; fi
  done
}

# A gate that is started in this way ends with this code, after so many submits.
retries() {
  local expected=$1 submits=$2 how=$3
  shift 3
  rm -f "$work/test"
  expect "$expected" "$sandbox" exec --log "$work/test" "$@" -- \
    bash -euc "export TEST_URL=\$EPM_URL; variables; $how"
  submits "$submits" "$work/test"
}

unreachable() {
  say 'exit code 31 is retried, twice at most'
  example GL_DATA_LOAD
  retries 31 0 with_retries --scenario unavailable-for-ever
  said 'attempt 3 of load-test ended with 31'
  not_said 'attempt 4'
  printf '[look]\nreplies = [{ http = 503 }, {}]\n[[job]]\n' >"$work/down-at-first.toml"
  example GL_DATA_LOAD
  retries 0 1 with_retries --scenario "$work/down-at-first.toml"
  said 'attempt 1 of load-test ended with 31' 'attempt 2 of load-test ended with 0'
}

uncertain() {
  say 'exit code 24 is not, and a *Retry* by hand finds the ledger'
  example GL_DATA_LOAD
  retries 24 1 'with_retries || with_retries' --scenario reset-after-submit
  [ "$(grep --count '^attempt 1 of load-test ended with 24$' "$output")" -eq 2 ] || fail 'it was not started twice'
  not_said 'attempt 2'
}

hostile() {
  say 'hostile texts'
  example HOSTILE_TEXT
  pipeline 0 1 0
  told FAIL load-test
  reported load-test failed
}

here="$PWD/tests/pipelines"
export -f pipeline_at variables local_runner with_retries rules
export sandbox static work repository builds here preview

debian rsync rsync
npm_packages
pypi
mkdir "$work/home"
built
example GL_DATA_LOAD
schemas
inputs
passes
fails
warns
unreachable
uncertain
hostile
say 'examples/gitlab holds'
