#!/usr/bin/env bash
# What a start costs: the instructions of the static binary for one question, against the budget beside this script, and
# the threads of a gate that waits. Instructions are counted in callgrind, where they vary by a few thousandths.
. "${BASH_SOURCE[0]%/*}/prelude.bash"

debian valgrind valgrind
built
[ -x "$target/debug/epm-sandbox" ] || cargo build --quiet --locked --package epm-sandbox
budgets=tests/pipelines/start.budget
over=() # what is over its budget

# Counts the instructions of a status that must end with this code, in an environment of nothing else.
counted() {
  local name=$1 code=$2 budget spent
  shift 2
  budget="$(sed --quiet "s/^$name //p" "$budgets")"
  [ -n "$budget" ] || fail "$budgets has no line for $name"
  expect "$code" env --ignore-environment valgrind --tool=callgrind --callgrind-out-file=/dev/null \
    "$static" status 2000 --username close.bot@example.com --password-file "$work/password" "$@"
  spent="$(sed --quiet 's/.*I *refs: *//p' "$output" | tr --delete ,)"
  printf '%s: %d instructions of %d, %+d in a thousand\n' "$name" "$spent" "$budget" $(((spent - budget) * 1000 / budget))
  if [ $((spent * 100)) -gt $((budget * 105)) ]; then over+=("$name"); fi
  if [ $((spent * 100)) -lt $((budget * 95)) ]; then printf '  less than it was: lower %s\n' "$budgets"; fi
}

printf '%s' "$EPM_SANDBOX_PASSWORD" >"$work/password"
counted refused 31 --url https://127.0.0.1:1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=ca -keyout "$work/ca.key" \
  -out "$work/ca.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=pod -keyout "$work/pod.key" \
  -out "$work/pod.csr" 2>/dev/null
openssl x509 -req -in "$work/pod.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
  -extfile <(printf 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n') -out "$work/pod.pem" 2>/dev/null
# A pod that answers, over TLS.
serve --scenario never-ends --tls-cert "$work/pod.pem" --tls-key "$work/pod.key"
counted answered 25 --url "$EPM_URL" --ca-cert "$work/ca.pem"
: >"$output"
[ "${#over[@]}" -eq 0 ] ||
  fail "a start costs over 5 % more than $budgets allows: ${over[*]}. Make it cheaper, or raise the budget and say why"

# Beside its own it may have the one that has resolved the name.
"$static" attach 2000 --url "https://localhost:${EPM_URL##*:}" --ca-cert "$work/ca.pem" --poll-min 60s --outage-budget 1m \
  --timeout 60s 2>"$work/log" &
gate=$!
until_said "$work/log" 'job 2000: in progress'
pause
threads="$(cat "/proc/$gate/task/"*/comm)"
kill -TERM "$gate"
wait "$gate" || true
[ "$(wc -l <<<"$threads")" -le 2 ] || fail "more than one thread beside its own while it waits: $(tr '\n' ' ' <<<"$threads")"
printf 'threads while it waits: %s\n' "$(tr '\n' ' ' <<<"$threads")"

printf 'a start holds\n'
