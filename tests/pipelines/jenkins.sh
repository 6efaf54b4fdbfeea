#!/usr/bin/env bash
# Lints examples/jenkins/Jenkinsfile, and runs builds of it against a sandbox, over stand-ins for Jenkins's steps
# (jenkins.groovy) that really run what `sh` is given: to each result, aborted, and what the next build makes of that.
# shellcheck disable=SC2016 # backticks in single quotes are what somebody might type into a form
. "${BASH_SOURCE[0]%/*}/prelude.bash"

jenkinsfile=examples/jenkins/Jenkinsfile
home="$work/home"
python="$PWD/.tools/venv/bin/python"
java=(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dfile.encoding=UTF-8)
groovy=".tools/node_modules/npm-groovy-lint/lib/java/groovy/lib/*"

# The linter, which has the Groovy that runs the stand-ins.
lint() {
  say 'the linter'
  built
  pypi
  debian java openjdk-17-jre-headless
  npm_packages
  expect 0 npm-groovy-lint --noserver --failon error "$jenkinsfile"
  said 'linted files:'
  expect 0 "${java[@]}" -cp "$groovy" org.codehaus.groovy.tools.FileSystemCompiler -d "$work/classes" \
    tests/pipelines/jenkins.groovy
}

# A build of this number after that successful one must have this result; its job plays this scenario.
build() {
  local number=$1 successful=$2 scenario=$3 result=$4
  shift 4
  say "build $number: $result"
  sed "s|https://epm-acme[^']*|$EPM_URL|; s|'GL_DATA_LOAD'|'$scenario'|" "$jenkinsfile" >"$work/Jenkinsfile"
  PATH="${gate_folder-${static%/*}}:$PATH" EPM_POLL_MIN="${poll_min-50ms}" expect 0 \
    "${java[@]}" -cp "$groovy:$work/classes" jenkins "$work/Jenkinsfile" "$home" "$number" "$successful" "$@"
  said "Finished: $result" 'Options: disableConcurrentBuilds, skipStagesAfterUnstable, timeout 60'
  not_said "$EPM_PASSWORD"
  stages "$result"
}

# The stage after the load runs in a build that has passed, and in no other.
stages() {
  if [ "$1" = SUCCESS ]; then
    said 'The ledger was loaded by job '
  else
    said 'Stage "Report" skipped'
    not_said 'The ledger was loaded by job '
  fi
}

# A build has archived its files, and its JUnit report says so many tests, failures and errors.
archived() {
  local archive="$home/builds/$1/archive"
  [ "$(find "$archive" -type f -printf '%f\n' | sort | xargs)" = 'gate.env junit.xml report.html' ] ||
    fail "other files in $archive"
  cmp --silent "$archive/report.html" "$home/builds/$1/htmlreports/report.html" || fail 'the report is not published'
  expect 0 "$python" -c 'import sys
from junitparser import JUnitXml
found = JUnitXml.fromfile(sys.argv[1])
print(found.tests, found.failures, found.errors)' "$archive/junit.xml"
  [ "$(cat "$output")" = "$2" ] || fail "the JUnit report of build $1 says $(cat "$output")"
  if grep --recursive --quiet --fixed-strings -- "$EPM_PASSWORD" "$home"; then fail 'the password is in a file'; fi
}

# To each result that a job can give.
results() {
  # What somebody types into the form is never shell text.
  build 1 - GL_DATA_LOAD SUCCESS PERIOD='Jan-26`touch typed`'
  said "Description: job $first_id: succeeded"
  grep --quiet --fixed-strings '"periodName":"{Jan-26`touch typed`}"' "$work/requests" || fail 'another period'
  [ -z "$(find "$home" -name typed)" ] || fail 'a parameter was run as a command'
  submits 1
  archived 1 '1 0 0'

  build 2 1 FAILS_WITH_REJECTED_ROWS FAILURE
  said 'ERROR: epm-gate ended with exit code 10' "Description: job $((first_id + 1)): failed"
  submits 2
  archived 2 '1 1 0'

  build 3 1 WARNS UNSTABLE
  said 'WARNING: epm-gate ended with exit code 13' "Description: job $((first_id + 2)): condition-unmet"
  submits 3
  archived 3 '1 1 0'
}

# Somebody aborts the build while it waits, ahead of its first poll; the next one attaches.
aborts() {
  poll_min=60s build 4 1 GL_DATA_LOAD ABORTED ABORT_AT='in progress'
  said "Description: job $((first_id + 3)): interrupted"
  said '1 processes get SIGTERM' # `exec`: the shell of the step is the gate
  not_said 'was killed'
  submits 4
  archived 4 '1 0 1'

  build 5 1 GL_DATA_LOAD SUCCESS
  said "Description: job $((first_id + 3)): succeeded" 'attaching to it'
  submits 4
}

# A load that passed in a build that did not is not repeated, unless somebody asks for it.
repeats() {
  build 6 1 GL_DATA_LOAD SUCCESS
  said "Description: job $((first_id + 3)): succeeded" 'nothing is submitted'
  submits 4

  build 7 1 GL_DATA_LOAD SUCCESS LOAD_AGAIN=true
  said "Description: job $((first_id + 4)): succeeded"
  submits 5
}

# Without a gate, the files of an earlier build do not speak for this one.
refuses() {
  gate_folder=/nowhere build 8 7 GL_DATA_LOAD FAILURE
  said 'ERROR: epm-gate ended with exit code 127' 'Recording test results: 0 files' 'Description: null'
  [ -z "$(find "$home/builds/8" -type f)" ] || fail 'files of another build'
  submits 5
}

lint
serve --log "$work/requests"
# The address goes into the Jenkinsfile alone, and the user into the credentials.
export -n EPM_URL
results
aborts
repeats
refuses
say 'Jenkins holds'
