#!/usr/bin/env bash
# Runs what README.md tells people to type, as it stands there: its shell blocks, the commands in its prose, and its
# GitHub workflow in a real runner (nektos/act), against sandboxes. A command that is not known here fails, so that none
# goes untried. Needs no network but for cargo's index, and for pip the first time.
# shellcheck disable=SC2016 # backticks in single quotes are Markdown's
. "${BASH_SOURCE[0]%/*}/act.bash"

id=$first_id

# Runs a command, which must end with this code, against a sandbox of its own. It submits this job as README.md says
# it does, and no other.
rehearse() {
  local expected=$1 name=$2 load
  load='"payload":{"jobType":"INTEGRATION","jobName":"'$name'","periodName":"{Jan-26}","importMode":"Replace","exportMode":"Merge"}'
  shift 2
  rm -f "$requests"
  expect "$expected" "$sandbox" exec --log "$requests" -- "$@"
  said 'POSTs taken: 1'
  submits 1
  grep --fixed-strings --quiet "$load" "$requests" || fail "not a POST with $load: $(cat "$requests")"
}

# The commands of cargo and rustup in the prose.
prose() {
  local command commands seen=()
  mapfile -t commands < <(sed '/^```/,/^```/d' README.md | tr '\n' ' ' |
    grep --only-matching --extended-regexp '`(cargo|rustup) [^`]+`' | tr --delete '`' | sort --unique)
  for command in "${commands[@]}"; do
    say "$command"
    case $command in
    "rustup target add $musl") expect 0 bash -c "$command" ;;
    "cargo build --release --target $musl")
      seen+=(build)
      has_line .ci/run "musl=$musl"
      has_line .ci/run 'cargo build --locked --release --target "$musl" --package epm-gate'
      expect 0 bash -c "$command"
      [ -x "$static" ] || fail "this does not make $static"
      ;;
    'cargo install --locked --path .')
      seen+=(install)
      # Into a folder of ours, and for the target that is built already: another one takes minutes.
      CARGO_INSTALL_ROOT="$work/installed" CARGO_BUILD_TARGET=$musl expect 0 bash -c "$command"
      expect 0 env PATH="$work/installed/bin" epm-gate --version
      said "epm-gate $(manifest version)"
      ;;
    *) fail "nobody tries this command of the prose: $command" ;;
    esac
  done
  [ "${seen[*]}" = 'build install' ] || fail "of the commands in the prose there is only: ${seen[*]}"
}

# The blocks, each in a file of its own that is named for its place and its language.
blocks() {
  local block name seen=()
  mkdir "$work/blocks"
  awk -v into="$work/blocks" '
    /^```/ { file = file ? "" : sprintf("%s/%02d.%s", into, ++count, substr($0, 4)); next }
    file { print >file }
  ' README.md
  for block in "$work/blocks"/*; do
    case "${block##*.}: $(cat "$block")" in
    'sh: cargo demo') name=demo ;;
    'sh: cargo test --workspace') name=tests ;;
    'sh: export '*'epm-gate run '*) name=shell ;;
    'yaml: name: Load the ledger'*) name=workflow ;;
    *) fail "nobody tries this block: $(cat "$block")" ;;
    esac
    seen+=("$name")
    "$name" "$block"
  done
  [ "${seen[*]}" = 'demo tests shell workflow' ] || fail "the blocks are now: ${seen[*]}"
}

# Progress, summary and exit code.
demo() {
  say 'cargo demo'
  expect 0 bash -e "$1"
  said '`GL_DATA_LOAD` (job '$id'): submitted' '`GL_DATA_LOAD` (job '$id'): in progress (-1)' \
    '### ✅ `GL_DATA_LOAD` (job '$id') passed' '| outcome | succeeded (exit 0) |' \
    'ended with exit code 0; POSTs taken: 1'
}

# Not a second time: it is what .ci/run begins with.
tests() {
  say 'cargo test --workspace: in .ci/run'
  has_line .ci/run "$(cat "$1")"
  [ "$(grep --max-count=1 '^cargo ' .ci/run)" = "$(cat "$1")" ] || fail '.ci/run begins with another command of cargo'
}

# With the address and the user of the sandbox, which `epm-sandbox exec` has set.
shell() {
  local name
  say 'export ...; epm-gate run ...'
  for name in EPM_URL EPM_USERNAME; do
    [ "$(grep --count "^export $name=[^ ]" "$1")" -eq 1 ] || fail "not one export of $name: $(cat "$1")"
    sed --in-place "s|^export $name=[^ ]*|export $name=\"\$$name\"|" "$1"
  done
  PATH="${static%/*}:$PATH" rehearse 0 GL_DATA_LOAD bash -eu "$1"
  said 'ok: `GL_DATA_LOAD` (job '$id') passed'
}

# With the action as a release would have it.
workflow() {
  local steps="$work/repository/.github/workflows/load.yml"
  say 'the workflow, its job passes'
  released "$static" "$musl"
  action_of_release
  mkdir --parents "${steps%/*}"
  sed '/^ *queue: max\( #.*\)\?$/d' "$1" >"$steps" # which act does not know yet
  committed "$work/repository"
  rehearse 0 GL_DATA_LOAD bash -euc 'play_workflow_for_sandbox workflow_dispatch load.yml'
  said '"jobResult":"success"' '::set-output:: jobId='$id'"' '::set-output:: outcome=succeeded"'
  headline '✅ `GL_DATA_LOAD` \(job '$id'\) passed'
  not_said 'ended as'

  say 'the workflow, its job fails'
  sed --in-place 's/\(job-name: \)GL_DATA_LOAD$/\1FAILS_WITH_REJECTED_ROWS/' "$steps"
  committed "$work/repository"
  rehearse 1 FAILS_WITH_REJECTED_ROWS bash -euc 'play_workflow_for_sandbox workflow_dispatch load.yml'
  said '"jobResult":"failure"' '"msg":"job '$id' ended as failed\n"'
  headline '❌ `FAILS_WITH_REJECTED_ROWS` \(job '$id'\) failed'
}

# The step's summary begins with this, a pattern.
headline() {
  grep --extended-regexp --quiet '"command":"summary","content":"(\\n)*### '"$1" "$output" || fail "no summary with: $1"
}

prose
blocks
say 'README.md holds'
