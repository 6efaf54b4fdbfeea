#!/usr/bin/env bash
# Runs the action in a real runner (nektos/act, on this host) as `uses: acme/epm-gate@v1`, against sandboxes: its ways
# through, what it refuses, what it downloads and what it does not run. Stops its step as GitHub's runner does. Holds
# its inputs and outputs to those of the binary. Needs no network but for pip the first time.
# shellcheck disable=SC2016 # dollars and backticks in single quotes are the workflow's, or nobody's
. "${BASH_SOURCE[0]%/*}/act.bash"

debian curl curl ca-certificates
debian shasum perl
debian shellcheck shellcheck
# A proxy would stand between the runner and the mirror in here.
for name in $(compgen -e); do
  case $name in *_[Pp][Rr][Oo][Xx][Yy]) unset "$name" ;; esac
done

id=$first_id
version="$(manifest version)"
name="epm-gate-$version-$musl"
mirror="$work/release"
sums="$work/action/action/SHA256SUMS"
mkdir --parents "$work/repository/.github/workflows"

# What a Python expression finds in action.yml, `action`: a text, or a list, a line each.
action() {
  .tools/venv/bin/python -c '
import sys, yaml
action = yaml.safe_load(open("action.yml"))
found = eval(sys.argv[1])
print(found if isinstance(found, str) else "\n".join(found))' "$1"
}

# Two lists are the same.
alike() {
  diff --unified "$2" "$3" >"$output" || fail "$1 differ"
}

# The flags of the binary that make sense in an action, each as its input and the variable that it goes by. The log is
# the runner's (`color`), nobody reads stdout (`print`), the platform is known (`ci`, `annotations`), and `fresh` would
# stay in the file and submit once more with each re-run. `dry-run` has no variable.
inputs_of_the_binary() {
  local command
  for command in $("$static" --help | sed --quiet --regexp-extended 's/^  (run|submit|attach|status|check) .*/\1/p'); do
    "$static" "$command" --help
  done | .tools/venv/bin/python -c '
import re, sys
secrets = "password refresh-token client-secret access-token jwt-key notify"
without = "help color print ci annotations fresh dry-run"
renamed = {"variable": "variables"}
for name in secrets.split():
    print(name, "EPM_" + name.upper().replace("-", "_"))
for text in re.split(r"\n {2,6}(?=-)", sys.stdin.read()):
    flag = re.match(r"(?:-\w, )?--([a-z-]+)", text)
    if flag and flag[1] not in without.split():
        # Behind the last flag of a command stands what the next one is about.
        told = re.search(r"\[env (EPM_[A-Z_]+)", " ".join(text.split("\n\n")[0].split()))
        variable = told[1] if told else "EPM_" + flag[1].upper().replace("-", "_")
        print(renamed.get(flag[1], flag[1]), variable)' | sort --unique
}

inputs() {
  say 'its inputs are the flags of the binary'
  inputs_of_the_binary >"$work/expected"
  action '[value.removeprefix("${{ inputs.").removesuffix(" }}") + " " + name.replace("GATE_INPUT_", "EPM_")
    for name, value in action["runs"]["steps"][1]["env"].items() if name.startswith("GATE_INPUT_")]' |
    sort >"$work/there"
  alike 'the flags of the binary and the variables of the step' "$work/expected" "$work/there"
  sed --in-place 's/ .*//' "$work/expected"
  printf '%s\n' command job-id dry-run download-base-url binary-path >>"$work/expected"
  sort --output "$work/expected" "$work/expected"
  action 'action["inputs"]' | sort >"$work/there"
  alike 'the flags of the binary and the inputs' "$work/expected" "$work/there"
}

outputs() {
  local file
  say 'its outputs are those that the binary writes'
  expect 0 "$sandbox" exec -- "$static" run --job-name GL_DATA_LOAD --outputs-dir "$work/outputs"
  for file in "$work/outputs"/*; do
    printf '%s ${{ steps.gate.outputs.%s }}\n' "${file##*/}" "${file##*/}"
  done | sort >"$work/expected"
  action '[name + " " + output["value"] for name, output in action["outputs"].items()]' | sort >"$work/there"
  alike 'the outputs' "$work/expected" "$work/there"
}

scripts() {
  local step
  say 'the scripts in it'
  for step in 0 1; do
    action "action['runs']['steps'][$step]['run']" >"$work/step$step.sh"
    # As the runner calls it.
    expect 0 shellcheck --shell=bash --exclude=SC2016 <(printf 'set -e -o pipefail\n'; cat "$work/step$step.sh")
  done
  # act sets INPUT_ variables in a composite action, and GitHub does not.
  if grep --extended-regexp '(^|[^A-Z_])INPUT_' action.yml action/install.sh; then fail 'an INPUT_ variable is read'; fi
}

# Runs a workflow, its jobs on stdin, against a sandbox of its own: it ends with this code, and so much is submitted.
rehearse() {
  local expected=$1 posts=$2
  {
    printf '%s\n' 'on: push' 'env:' '  EPM_URL: ${{ vars.EPM_URL }}' '  EPM_USERNAME: ${{ vars.EPM_USERNAME }}' 'jobs:'
    sed 's/^/  /'
  } >"$work/repository/.github/workflows/w.yml"
  # One commit is what the runner asks for; it takes the files as they are.
  [ -d "$work/repository/.git" ] || committed "$work/repository"
  rm -rf "$requests" "$work/results"
  mkdir "$work/results"
  expect "$expected" "$sandbox" exec --log "$requests" -- \
    bash -euc 'play_workflow_for_sandbox push w.yml --env results="$work/results"'
  said "POSTs taken: $posts"
  submits "$posts"
  [ -z "$(find "$work/results" "$work/repository" "$work/cache" -name 'touched*')" ] || fail 'an input was run'
}

# A step that keeps the outputs of another one in a file of its name, whatever became of it.
keep() {
  printf -- '- if: always()\n      run: printf "%%s\\n" "$outputs" >"$results/%s"\n' "$1"
  printf '      env: { outputs: "${{ toJSON(steps.%s.outputs) }}" }\n' "$1"
}

# The step of this name had these outputs.
kept() {
  local file="$work/results/$1" pair
  shift
  for pair in "$@"; do
    grep --quiet --extended-regexp "^ +\"${pair%%=*}\": \"${pair#*=}\",?\$" "$file" || fail "not $pair: $(cat "$file")"
  done
}

# One job with one gate, whose step goes on with the lines of stdin.
gate() {
  rehearse "$@" <<EOF
load:
  runs-on: ubuntu-latest
  env: { EPM_PASSWORD: "\${{ secrets.EPM_PASSWORD }}", EPM_POLL_MIN: 10ms, EPM_POLL_MAX: 20ms }
  steps:
    - uses: actions/checkout@v4
    - id: gate
      uses: acme/epm-gate@v1
$(sed 's/^/      /')
    $(keep gate)
EOF
}

two_jobs() {
  say 'submit in one job; attach, and ask, in the next'
  rehearse 0 1 <<EOF
submit:
  runs-on: ubuntu-latest
  outputs:
    id: \${{ steps.gate.outputs.jobId }}
  steps:
    - uses: actions/checkout@v4
    - id: gate
      uses: acme/epm-gate@v1
      with:
        command: submit
        job-name: GL_DATA_LOAD
        password: \${{ secrets.EPM_PASSWORD }}
        download-base-url: file://$mirror
attach:
  needs: submit
  runs-on: ubuntu-latest
  env:
    EPM_PASSWORD: \${{ secrets.EPM_PASSWORD }}
  steps:
    - uses: actions/checkout@v4
    - id: attach
      uses: acme/epm-gate@v1
      with:
        command: attach
        job-id: \${{ needs.submit.outputs.id }}
        poll-min: 10ms
        poll-max: 20ms
        download-base-url: file://$mirror
    $(keep attach)
    - id: status
      uses: acme/epm-gate@v1
      with:
        command: status
        job-id: \${{ needs.submit.outputs.id }}
        junit: \${{ env.results }}/junit.xml
        dotenv: \${{ env.results }}/dotenv
        html: \${{ env.results }}/page.html
        download-base-url: file://$mirror
      env: # of no use to this command, and in no way of it
        EPM_JOB_TYPE: INTEGRATION
        EPM_JOB_NAME: A_LABEL
        EPM_LEDGER_KEY: k
        EPM_TIMEOUT: 1m
    $(keep status)
EOF
  kept attach "jobId=$id" status=0 outcome=succeeded exitCode=0 submitted=no
  kept status "jobId=$id" status=0 outcome=succeeded exitCode=0 submitted=no
  has_line "$work/results/dotenv" "EPM_GATE_JOB_ID=$id"
  [ -s "$work/results/junit.xml" ] || fail 'no JUnit report'
  [ -s "$work/results/page.html" ] || fail 'no HTML report'
}

failing() {
  say 'a job that fails'
  rehearse 1 1 <<EOF
load:
  runs-on: ubuntu-latest
  outputs:
    id: \${{ steps.gate.outputs.jobId }}
    outcome: \${{ steps.gate.outputs.outcome }}
  steps:
    - uses: actions/checkout@v4
    - id: gate
      uses: acme/epm-gate@v1
      with:
        job-name: FAILS_WITH_REJECTED_ROWS
        poll-min: 10ms
        poll-max: 20ms
        download-base-url: file://$mirror
      env: # the step's own
        EPM_PASSWORD: \${{ secrets.EPM_PASSWORD }}
    - run: touch "\$results/went-on"
    - if: failure()
      run: echo "\$id \$outcome \$code" >"\$results/failure"
      env:
        id: \${{ steps.gate.outputs.jobId }}
        outcome: \${{ steps.gate.outputs.outcome }}
        code: \${{ steps.gate.outputs.exitCode }}
after:
  needs: load
  if: always()
  runs-on: ubuntu-latest
  steps:
    - run: echo "\$id \$outcome" >"\$results/after"
      env:
        id: \${{ needs.load.outputs.id }}
        outcome: \${{ needs.load.outputs.outcome }}
EOF
  has_line "$work/results/failure" "$id failed 10"
  has_line "$work/results/after" "$id failed"
  said '"command":"summary"' '`FAILS_WITH_REJECTED_ROWS` (job '"$id"') failed'
  [ ! -e "$work/results/went-on" ] || fail 'the next step ran'
}

hostile() {
  say 'inputs that would be commands in a shell, and one that wins over its variable'
  gate 0 1 <<EOF
with:
  job-type: PIPELINE
  job-name: it's a "GL" \$(touch "\$results/touched") \`touch \$results/touched\`; %0A ::error::x \${{ '\$' }}HOME
  variables: |
    FIRST=\$(touch "\$results/touched") and more
    SECOND='; touch "\$results/touched" #
  set: |
    note=a\nb "c"
    list:=[1, {"\$(touch \$results/touched)": "\`touch \$results/touched\`"}]
  timeout: |
    1m
  download-base-url: file://$mirror
env:
  EPM_JOB_NAME: NOT_THIS
EOF
  kept gate "jobId=$id" outcome=succeeded
  grep --fixed-strings --quiet '"payload":{"jobType":"PIPELINE",'\
'"jobName":"it'\''s a \"GL\" $(touch \"$results/touched\")'\
' `touch $results/touched`; %0A ::error::x $HOME",'\
'"variables":{"FIRST":"$(touch \"$results/touched\") and more","SECOND":"'\''; touch \"$results/touched\" #"},'\
'"note":"a\\nb \"c\"","list":[1,{"$(touch $results/touched)":"`touch $results/touched`"}]}' "$requests" ||
    fail "something else was sent: $(grep --fixed-strings '"method":"POST"' "$requests")"
}

# The step refuses the first in its `with`, beside a job's name, and the second in its `env`; it says the third.
refused() {
  gate 1 0 <<EOF
with:
  job-name: GL_DATA_LOAD
  download-base-url: file://$mirror
  $1
env:
  ${2:-EPM_NOTHING: ''}
EOF
  kept gate jobId= outcome=usage exitCode=2 submitted=no
  said "$3"
}

refusals() {
  local command
  say 'what would become a second load, or a step that passes without one'
  refused 'command: attach' '' 'no job id is given'
  refused $'command: attach\n  job-id: ${{ steps.nothing.outputs.jobId }}' "EPM_JOB_ID: $id" 'no job id is given'
  refused 'command: status' "EPM_JOB_ID: $id" 'no job id is given'
  refused "job-id: $id" '' 'a job id is given'
  refused "job-id: ''" '' 'a job id is given'
  refused 'job-id: ${{ steps.nothing.outputs.jobId }}' '' 'a job id is given'
  refused $'command: submit\n  job-id: '"$id" '' 'a job id is given'
  refused 'command: run' "EPM_JOB_ID: $id" 'a job id is given'
  for command in --version --help explain login sh "''" 'run --dry-run' '"run\n"' '$(touch $results/touched)' \
    '"run; touch $results/touched"' '"x\n::error::x\noutcome=succeeded"'; do
    refused "command: $command" '' '`command` is none of'
  done
  refused 'dry-run: maybe' '' '`dry-run` is none of'
  refused 'timeout: "$(touch $results/touched)"' '' 'EPM_TIMEOUT'
}

dry_run() {
  say 'a dry run'
  gate 0 0 <<EOF
with:
  job-name: GL_DATA_LOAD
  dry-run: true
  download-base-url: file://$mirror
EOF
  said '\"jobName\":\"GL_DATA_LOAD\"' 'dry run: nothing was sent' 'dry run: nothing is sent, and the step passes'
  kept gate jobId= outcome=
}

# The action finds a gate with this line of its `with`, and runs it.
installs() {
  gate 0 1 <<EOF
with:
  job-name: GL_DATA_LOAD
  $1
EOF
  kept gate "jobId=$id" outcome=succeeded
}

# The action finds none with this line of its `with`, says why, and runs nothing: what was never there has no outputs.
installs_nothing() {
  local tries
  for tries in 1 2 3; do
    gate 1 0 <<EOF
with:
  job-name: GL_DATA_LOAD
  $1
EOF
    # On a busy machine act loses what a step says that ends at once.
    if grep --quiet --fixed-strings "$2" "$output"; then break; fi
  done
  said "$2"
  kept gate jobId= outcome=
  [ ! -e "$work/executed" ] || fail "it was executed, after $tries tries"
}

mirrors() {
  local port
  say 'the archive of a mirror, and what may be wrong with it'
  mkfifo "$work/port"
  python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$mirror" >"$work/port" 2>"$work/mirror.log" &
  at_end "kill $!"
  read -r _ _ _ _ _ port _ <"$work/port"
  installs "download-base-url: http://127.0.0.1:$port/"
  installs_nothing "download-base-url: http://me:pa55word@127.0.0.1:$port/no" "$name.tar.gz could not be downloaded"
  said 'The requested URL returned error: 404'
  not_said pa55word
  installs_nothing 'download-base-url: file://$(touch $results/touched)' "$name.tar.gz could not be downloaded"
  installs_nothing 'download-base-url: ftp://127.0.0.1/' "$name.tar.gz could not be downloaded"
  said ' disabled'

  printf '#!/bin/sh\ntouch %s\n' "$work/executed" >"$work/binary"
  chmod +x "$work/binary"
  released "$work/binary" "$musl"
  installs_nothing "download-base-url: file://$mirror" "$name.tar.gz is not what was released"
  sed --in-place "s/$musl/aarch64-apple-darwin/" "$sums"
  installs_nothing "download-base-url: file://$mirror" "nothing is released for $musl"
  : >"$sums"
  installs_nothing "download-base-url: file://$mirror" 'nothing is released at this commit'
}

# There are no sums by now: none of these can have been downloaded.
binaries() {
  local nothing='`binary-path` names nothing that can be executed'
  say 'a binary that is there already'
  mkdir --parents "$work/repository/bin"
  cp "$static" "$work/repository/bin/epm-gate"
  installs "binary-path: $static"
  installs 'binary-path: bin/epm-gate'
  PATH="${static%/*}:$PATH" installs 'binary-path: epm-gate'
  installs_nothing 'binary-path: bin/nowhere' "$nothing"
  installs_nothing 'binary-path: $(touch $results/touched)' "$nothing"
  installs_nothing 'binary-path: "bin/epm-gate\nbinary=/bin/true"' "$nothing"
  chmod -x "$work/repository/bin/epm-gate"
  installs_nothing 'binary-path: bin/epm-gate' "$nothing"
}

# Runs the installer alone, as if on a system of this name and architecture.
install() {
  local code=$1 os=$2 arch=$3
  shift 3
  : >"$work/step-output"
  expect "$code" env RUNNER_OS="$os" RUNNER_ARCH="$arch" RUNNER_TEMP="$work/temp" GITHUB_OUTPUT="$work/step-output" \
    GATE_DOWNLOAD_BASE_URL="file://$mirror" EPM_PASSWORD=not-for-curl "$@" bash "$work/action/action/install.sh"
}

# It finds the archive of this target, whose binary is its name.
finds() {
  local target=$1 binary
  shift
  install 0 "$@"
  binary="$(sed --quiet 's/^binary=//p' "$work/step-output")"
  [ "$(cat "$binary")" = "$target" ] || fail "for $target there is $(cat "$binary")"
}

systems() {
  local target tool tools="$work/tools"
  say 'the archive of each system'
  mkdir --parents "$work/temp" "$tools"
  for target in {x86_64,aarch64}-{unknown-linux-musl,apple-darwin} x86_64-pc-windows-gnu; do
    printf '%s\n' "$target" >"$work/binary"
    chmod +x "$work/binary"
    case $target in
    *windows*) released "$work/binary" "$target" epm-gate.exe ;;
    *) released "$work/binary" "$target" ;;
    esac
  done
  sum_up
  # As Windows writes them.
  sed --in-place 's/  / */; s/$/\r/' "$sums"

  # A Mac has no `sha256sum`. What the step holds for the gate is not there for whatever else is called.
  for tool in bash cut dirname gzip mktemp sed shasum tar tr; do
    ln --symbolic "$(command -v "$tool")" "$tools/$tool"
  done
  printf '#!/bin/bash\n[ -z "${EPM_PASSWORD+set}" ] || exit 99\nexec %q "$@"\n' "$(command -v curl)" >"$tools/curl"
  chmod +x "$tools/curl"
  finds x86_64-unknown-linux-musl Linux X64
  finds aarch64-unknown-linux-musl Linux ARM64
  finds x86_64-apple-darwin macOS X64 PATH="$tools"
  finds aarch64-apple-darwin macOS ARM64 PATH="$tools"
  finds x86_64-pc-windows-gnu Windows X64
  install 1 Linux ARM
  said 'nothing is released for the system and architecture of this runner'
}

# The step in the environment that GitHub gives it, with no INPUT_, stopped once it has written its job's id as GitHub
# stops it: SIGINT to the shell, SIGTERM after 7.5 s, SIGKILL after 2.5 s more, to nobody else. Ends well if that took
# less than 2 s.
cancelled() {
  GITHUB_ACTIONS=true GITHUB_OUTPUT="$work/step-output" GITHUB_STEP_SUMMARY="$work/step-summary" \
    GATE_BINARY="$static" GATE_COMMAND=run GATE_JOB_ID=- GATE_DRY_RUN=false \
    GATE_INPUT_JOB_NAME=NEVER_ENDS GATE_INPUT_TIMEOUT=1m \
    python3 - "$work/step1.sh" "$work/step-output" <<'PYTHON'
import contextlib, os, signal, subprocess, sys, time
script, outputs = sys.argv[1:]
step = subprocess.Popen(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script], start_new_session=True)
while "jobId" not in open(outputs).read() and step.poll() is None:
    time.sleep(0.01)
start = time.monotonic()
for number, patience in [(signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, None)]:
    os.kill(step.pid, number)
    try:
        step.wait(patience)
        break
    except subprocess.TimeoutExpired:
        pass
took = time.monotonic() - start
with contextlib.suppress(ProcessLookupError):
    os.killpg(step.pid, signal.SIGKILL)  # whom the cancel did not reach, and the runner would leave behind
print(f"the step ended with {step.returncode} {took:.2f} s after the cancel")
sys.exit(0 if step.returncode == 130 and took < 2 else 1)
PYTHON
}

cancel() {
  local pair
  say 'a cancel'
  : >"$work/step-output"
  export static
  export -f cancelled
  expect 0 "$sandbox" exec -- bash -euc cancelled
  grep '^the step ended' "$output"
  for pair in "jobId $id" 'outcome interrupted' 'exitCode 130' 'submitted yes'; do
    grep --after-context=1 "^${pair% *}<<" "$work/step-output" | grep --quiet --line-regexp "${pair#* }" ||
      fail "not $pair: $(cat "$work/step-output")"
  done
  grep --quiet "epm-gate attach $id" "$work/step-summary" || fail 'the summary does not say how to attach'
}

inputs
outputs
scripts
released "$static" "$musl"
action_of_release
two_jobs
failing
hostile
refusals
dry_run
mirrors
binaries
systems
cancel
say 'the action holds'
