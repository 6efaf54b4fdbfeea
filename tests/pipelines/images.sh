#!/usr/bin/env bash
# Builds both images as a release does, and runs them in a real daemon: the main job, exit codes, signals, any user on a
# read-only root, HTTPS, and the `shell` image as GitLab's runner and Jenkins's docker agent use it. Needs root.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/prelude.bash"
. tests/pipelines/docker.bash

out="$work/out"
images=(scratch shell)
built
daemon

# Gives the next container an empty folder, of this user.
fresh() {
  rm -rf "$out"
  mkdir "$out"
  chown "${1:-0:0}" "$out"
}

# Starts the gate of an image: docker's options, `--`, the gate's arguments.
gate() {
  local image=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  [ "$image" = scratch ] || set -- epm-gate "$@"
  docker run "${surroundings[@]}" "${options[@]}" "$image" "$@"
}
surroundings=(--network host --volume "$out:/out" --env EPM_OUTPUTS_DIR=/out/outputs --env EPM_SUMMARY=/out/summary)
for name in URL USERNAME PASSWORD POLL_MIN TIMEOUT; do surroundings+=(--env "EPM_$name"); done

# The gate has left this outcome, a job id, and a summary.
left() {
  [ "$(cat "$out/outputs/outcome")" = "$1" ] || fail "the outcome is $(cat "$out/outputs/outcome"), not $1"
  [ "$(cat "$out/outputs/jobId")" -ge "$first_id" ] || fail 'no job id'
  grep --quiet "(job $(cat "$out/outputs/jobId"))" "$out/summary" || fail 'no summary of the job'
}

# Waits until a container has said this.
until_logged() {
  for _ in $(seq 1 600); do
    docker logs "$1" >"$output" 2>&1 || true # it may not be there yet
    if grep --fixed-strings --quiet -- "$2" "$output"; then return; fi
    pause
  done
  fail "$1 never said: $2"
}

# A container has ended with this code, and goes.
ended() {
  local code
  code="$(docker wait "$1")"
  docker logs "$1" >"$output" 2>&1
  [ "$code" -eq "$2" ] || fail "$1 ended with $code in place of $2"
  docker rm "$1" >/dev/null
}

# A fact about an image.
fact() {
  docker image inspect --format "$2" "$1"
}

# The configuration of an image has this value.
is() {
  [ "$(fact "$1" "$2")" = "$3" ] || fail "$1: $2 is \`$(fact "$1" "$2")\`, not \`$3\`"
}

facts() {
  local image size
  for image in "${images[@]}"; do
    is "$image" '{{.Architecture}}' amd64
    is "$image" '{{.Config.User}}' ''
    is "$image" '{{or .Config.WorkingDir "/"}}' /
    is "$image" '{{.Config.Healthcheck}}, {{len .Config.Volumes}} volumes' '<nil>, 0 volumes'
    labels "$image"
    expect 0 gate "$image" --rm -- --version
    has_line "$output" "epm-gate $(manifest version)"
  done
  is scratch '{{json .Config.Entrypoint}}' '["/usr/local/bin/epm-gate"]'
  is shell '{{len .Config.Entrypoint}}' 0
  size="$(fact scratch '{{.Size}}')"
  # What the binary may weigh is for .ci/run to say: the image adds nothing to it.
  [ "$size" -eq "$(stat --format=%s "$static")" ] || fail "the scratch image has $size bytes, and is not the binary alone"
  printf 'scratch: %d bytes; shell: %d\n' "$size" "$(fact shell '{{.Size}}')"
}

# The labels say what Cargo.toml says, and which commit this is.
labels() {
  local image=$1 label value
  while read -r label value; do
    is "$image" "{{index .Config.Labels \"org.opencontainers.image.$label\"}}" "$value"
  done <<EOF
title $(manifest name)
description $(manifest description)
source $(manifest repository)
licenses $(manifest license)
version $(manifest version)
revision $revision
EOF
}

# What platforms start in the image of a job: GitLab and Jenkins (the rest of which is tried below), GitHub, Azure.
tools() {
  expect 0 docker run --rm shell sh -c 'for tool; do command -v "$tool" || exit 1; done' sh \
    awk grep ls sleep tee cat cp mv nohup touch tail bash cut getent groupadd id su useradd usermod
}

# The exit code is the gate's, whatever starts it; and a shell that is handed to it has never run.
codes() {
  local image
  for image in "${images[@]}"; do
    fresh
    expect 0 gate "$image" --rm -- run --job-name GL_DATA_LOAD
    said '`GL_DATA_LOAD` (job '
    left succeeded
    fresh
    expect 10 gate "$image" --rm -- run --job-name FAILS_WITH_REJECTED_ROWS
    left failed
    expect 2 gate "$image" --rm -- run --no-such-flag
    expect 2 gate "$image" --rm -- sh -c 'exit 9'
    said '`sh` is not a command'
  done
  expect 2 docker run --rm scratch
  expect 2 docker run --rm scratch cat
  expect 9 docker run --rm shell sh -c 'exit 9'
}

# As PID 1 the gate hears what nobody else hands on.
signals() {
  local image
  for image in "${images[@]}"; do
    waiting "$image"
    docker stop waiting >/dev/null
    ended waiting 143
    told
    waiting "$image"
    docker kill --signal INT waiting >/dev/null
    ended waiting 130
    told
  done
}

# Starts the gate of an image, and waits until its job is in progress.
waiting() {
  fresh
  gate "$1" --detach --name waiting -- run --job-name NEVER_ENDS >/dev/null
  until_logged waiting 'in progress'
}

# An interrupted gate has left all of its outputs, and has told how to go on.
told() {
  left interrupted
  [ "$(cat "$out/outputs/submitted")" = yes ] || fail 'it does not say that it has submitted'
  grep --quiet "epm-gate attach .*$(cat "$out/outputs/jobId")" "$out/summary" || fail 'no attach command'
}

# As Kubernetes restricts a pod: a user that nobody knows, nothing writable but what is mounted, no rights at all.
restricted() {
  local image
  for image in "${images[@]}"; do
    fresh 65534:65534
    expect 0 gate "$image" --rm --user 65534:65534 --read-only --env HOME=/ --cap-drop ALL \
      --security-opt no-new-privileges -- run --job-name GL_DATA_LOAD --ledger /out/ledger --ledger-key key
    left succeeded
    [ "$(stat --format=%u:%g "$out/outputs/jobId" "$out/ledger" | sort --unique)" = 65534:65534 ] ||
      fail 'the outputs are not its own'
  done
}

# A server whose certificate was issued by nobody is refused since its issuer is unknown; one whose issuer claims the name
# of a public root is refused since the signature is not that root's. So the root was there, and its key too. Any root
# that the binary bundles will do. With the certificate of its issuer given, the first is let through.
https() {
  debian openssl openssl
  issue nobody '/CN=Nobody Root'
  expect_refusal nobody "its issuer \`Nobody Root\` is not known"
  issue impostor '/C=US/O=DigiCert Inc/OU=www.digicert.com/CN=DigiCert Global Root G2'
  expect_refusal impostor "its issuer calls itself \`DigiCert Global Root G2\`"
  serve --tls-cert "$work/nobody/cert" --tls-key "$work/nobody/key" --name localhost
  expect 0 gate scratch --rm --volume "$work/nobody/root.pem:/ca.pem:ro" -- run --job-name GL_DATA_LOAD --ca-cert /ca.pem
  left succeeded
  serve --log "$work/requests"
}

# Makes a certificate of localhost, and a root of this name that issues it.
issue() {
  local name=$1 subject=$2
  mkdir "$work/$name"
  # As public roots have it: a name is compared byte by byte.
  printf '[req]\ndistinguished_name = dn\nstring_mask = default\n[dn]\n' >"$work/$name/openssl.cnf"
  make() {
    openssl req -x509 -config "$work/$name/openssl.cnf" -newkey rsa:2048 -nodes -days 1 -sha256 "$@" 2>"$output" ||
      fail "no certificate of $name"
  }
  make -subj "$subject" -addext basicConstraints=critical,CA:true \
    -keyout "$work/$name/root.key" -out "$work/$name/root.pem"
  make -subj /CN=localhost -addext basicConstraints=critical,CA:false -addext subjectAltName=DNS:localhost \
    -CA "$work/$name/root.pem" -CAkey "$work/$name/root.key" -keyout "$work/$name/key" -out "$work/$name/cert"
}

# The scratch image finds this fault in the certificate that was issued, and submits nothing.
expect_refusal() {
  local name=$1 server port
  : >"$work/$name/log"
  # -www, for otherwise it ends with its stdin.
  openssl s_server -www -accept 127.0.0.1:0 -cert "$work/$name/cert" -key "$work/$name/key" >"$work/$name/log" 2>&1 &
  server=$!
  at_end "kill $server"
  until port="$(sed --quiet 's/^ACCEPT .*://p' "$work/$name/log")" && [ -n "$port" ]; do
    kill -0 "$server" 2>/dev/null || fail "no HTTPS server: $(cat "$work/$name/log")"
    pause
  done
  expect 31 gate scratch --rm -- run --job-name GL_DATA_LOAD --url "https://localhost:$port"
  said "the certificate of \`localhost:$port\` does not verify" "$2"
}

# A job of GitLab in the shell image, as its runner's docker executor has it: a command that looks for a shell, the
# script on stdin, which runs in a subshell without it.
gitlab() {
  local surroundings=("${surroundings[@]}" --env GITLAB_CI=true --env EPM_DOTENV=/out/gate.env)
  fresh
  expect 0 gitlab_job --rm <<<"$(gitlab_script 'epm-gate run --job-name GL_DATA_LOAD')"
  left succeeded
  said 'the next line'
  fresh
  expect 10 gitlab_job --rm <<<"$(gitlab_script 'epm-gate run --job-name FAILS_WITH_REJECTED_ROWS')"
  left failed
  not_said 'the next line'

  fresh
  gitlab_job --name job <<<"$(gitlab_script 'epm-gate run --job-name NEVER_ENDS')" >/dev/null 2>&1 &
  until_logged job 'in progress'
  gitlab_cancel job
  ended job 143
  told
  has_line "$out/gate.env" EPM_GATE_OUTCOME=interrupted
  not_said 'the next line'
}

# Cancels a job: all that runs in its container but PID 1 gets SIGTERM, the youngest first, from a shell of its own,
# which ends with the job.
gitlab_cancel() {
  docker exec "$1" sh -c '
    for pid in $(cd /proc && ls -rvd [0-9]*); do
      if [ "$pid" -eq 1 ] || [ "$pid" -eq $$ ]; then continue; fi
      kill -TERM "$pid" 2>/dev/null || continue
      for _ in 1 2 3 4 5 6; do
        if [ -e "/proc/$pid" ]; then sleep 1; fi
      done
    done' || true
}

# Starts the container of a job; its script comes on stdin.
gitlab_job() {
  docker run --interactive "${surroundings[@]}" "$@" shell sh -c '
    for shell in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh; do
      [ ! -x "$shell" ] || exec "$shell"
    done
    echo shell not found
    exit 1'
}

# The lines of a job's `script:` as the runner hands them over.
gitlab_script() {
  local lines="$1"$'\n''echo the next line'$'\n'
  printf '%s\n' "trap 'exit 1' TERM" 'set -o pipefail' 'set -o errexit' 'set +o noclobber' \
    "(trap 'exit 1' TERM; eval ${lines@Q}) </dev/null" 'exit 0'
}

# Steps of Jenkins in the shell image, as its docker agent has them: a container that runs `cat` as the agent's user,
# with the workspace at its own path. A step starts in it and leaves its log and its exit code in files.
jenkins() {
  local workspace="$work/workspace" out="$work/workspace"
  mkdir "$workspace" "$workspace@tmp"
  chown 1234:1234 "$workspace" "$workspace@tmp"
  docker run --tty --detach --user 1234:1234 --name agent --network host --workdir "$workspace" \
    --volume "$workspace:$workspace:rw,z" --volume "$workspace@tmp:$workspace@tmp:rw,z" shell cat >/dev/null
  expect 0 docker top agent -eo pid,comm
  grep --quiet '^[0-9]* *cat$' "$output" || fail 'the agent does not run cat'

  step passes 'epm-gate run --job-name GL_DATA_LOAD'
  step_ended passes 0
  left succeeded
  step fails 'epm-gate run --job-name FAILS_WITH_REJECTED_ROWS'
  step_ended fails 10
  left failed
  # With `exec`, for the step ends with its shell, and the outputs must stand by then.
  step aborted 'exec epm-gate run --job-name NEVER_ENDS'
  until_said "$workspace@tmp/durable-aborted/log" 'in progress'
  abort aborted
  step_ended aborted 143
  told
}

# Starts a step: its shell runs in the background, beside one that touches the log as a sign of life.
step() {
  local control="$workspace@tmp/durable-$1" at="'$workspace@tmp/durable-$1/" variables=() name
  mkdir "$control"
  printf '%s\n' "$2" 'echo the next line' >"$control/script.sh"
  chown -R 1234:1234 "$control"
  for name in URL USERNAME PASSWORD POLL_MIN TIMEOUT; do variables+=(--env "EPM_$name"); done
  docker exec "${variables[@]}" --env EPM_OUTPUTS_DIR="$workspace/outputs" --env EPM_SUMMARY="$workspace/summary" \
    --env JENKINS_SERVER_COOKIE=please-do-not-kill-me agent nohup sh -c "(
      cp ${at}script.sh' ${at}script.sh.copy'
      { while [ -d $at' -a \\! -f ${at}result' ]; do touch ${at}log'; sleep 3; done } &
      cookie=step-$1
      JENKINS_SERVER_COOKIE=\$cookie sh -xe ${at}script.sh.copy' >${at}log' 2>&1
      echo \$? >${at}result.tmp'
      mv ${at}result.tmp' ${at}result'
      wait
    ) >&- 2>&- &"
}

# A step has ended with this code; the next line of its script was reached only after a success.
step_ended() {
  local control="$workspace@tmp/durable-$1" code
  for _ in $(seq 1 600); do
    [ ! -e "$control/result" ] || break
    pause
  done
  [ -e "$control/result" ] || fail "step $1 has not ended"
  cp "$control/log" "$output"
  code="$(cat "$control/result")"
  [ "$code" -eq "$2" ] || fail "step $1 ended with $code in place of $2"
  if [ "$code" -eq 0 ]; then said 'the next line'; else not_said 'the next line'; fi
}

# Aborts a step: what `ps` shows with the step's cookie in its environment is killed.
abort() {
  local pids
  # It shows all variables, secrets too, so it is not a thing to be said.
  docker exec agent ps -A -o pid,command e >"$output" || fail 'ps does not work'
  mapfile -t pids < <(sed --quiet "s/^ *\([0-9]*\) .*JENKINS_SERVER_COOKIE=step-$1 .*/\1/p" "$output")
  [ "${#pids[@]}" -gt 0 ] || fail 'ps does not show the step'
  expect 0 docker exec agent kill "${pids[@]}"
}

# What a build may take from a repository is what the Dockerfile wants, whatever else lies there.
ignored() {
  local path
  mkdir --parents "$context/target" "$context/dist/windows"
  touch "$context/.env" "$context/secret.pem" "$context/target/epm-gate" "$context/dist/windows/epm-gate.exe"
  expect 0 docker build --tag context --file - "$context" <<<$'FROM scratch\nCOPY . /\nCMD ["none"]'
  docker create --name context context >/dev/null
  docker export context | tar --list | grep --invert-match '/$' >"$output"
  docker rm context >/dev/null
  for path in dist/linux/amd64/epm-gate Cargo.toml Cargo.lock src/main.rs sandbox/Cargo.toml sandbox/src/main.rs; do
    has_line "$output" "$path"
  done
  # The last ones are docker's own.
  if grep --extended-regexp --invert-match \
    '^(dist/linux/|src/|benches/(functions|pace)/|build\.rs$|sandbox/src/|sandbox/Cargo.toml$|Cargo\.|\.dockerenv$|dev/|etc/)' "$output"; then
    fail 'more than that gets into the context'
  fi
}

say 'build'
has_line Dockerfile 'ARG SHELL_BASE=debian:13-slim'
has_line Dockerfile "ARG RUST_BASE=rust:$(sed --quiet 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)-alpine"
revision="$(git rev-parse HEAD)"
context
binary amd64 "$static"
debian_13 amd64
arguments=(--build-arg "VERSION=$(manifest version)" --build-arg "REVISION=$revision")
build scratch "${arguments[@]}"
build shell "${arguments[@]}" --build-arg SHELL_BASE=debian-13-amd64
# A base that brings its `ps` needs no apt: an image of our own is one.
expect 0 docker build --target shell --network none --build-arg SHELL_BASE=shell "$context"
not_said 'Reading package lists'
# For all that follows, on the loopback that containers share with --network host.
serve --log "$work/requests"
export EPM_POLL_MIN=50ms EPM_TIMEOUT=60s
for part in facts ignored tools codes signals restricted https gitlab jenkins; do
  say "$part"
  "$part"
done
say 'the images hold'
