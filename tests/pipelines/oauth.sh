#!/usr/bin/env bash
# OAuth 2.0 against a certified server (oidc-provider, see provider.mjs) before a sandbox: login by the device flow,
# rotation and what reuse of a used-up token does, tokens that end in mid-wait, two gates with one file, a gate that is
# killed with the answer on its way. Needs the network for npm the first time.
# shellcheck disable=SC2016 # backticks in single quotes are the log's
. "${BASH_SOURCE[0]%/*}/prelude.bash"

log="$work/provider.log"
token="$work/auth/refresh-token"
written="$work/written"
gates=()

npm_packages
built
mkdir "$work/auth" "$written"

# What the identity service hands out, and the secret of a client, may be seen nowhere. It writes them down itself.
touch "$work/tokens" "$log"
secrets+=(--file "$work/tokens")
export CLIENT_SECRET='cl13nt+/=&s%cret'

cat >"$work/scenario.toml" <<'END_OF_SCENARIO'
[[job]]
name = "TEN_SECONDS"
polls = [{ status = -1, lasts = "10s" }, { status = 0 }]

[[job]]
name = "ENDLESS"
polls = [{ status = -1 }]

[[job]]
polls = [{ status = 0 }]
END_OF_SCENARIO

# The identity service, and a pod that takes nothing but its tokens.
serve --scenario "$work/scenario.toml"
node tests/pipelines/provider.mjs "$EPM_URL" "$EPM_USERNAME" "$EPM_PASSWORD" "$work" >"$work/provider.out" 2>&1 &
provider=$!
at_end stop_provider
at_end stop_gates
unset EPM_USERNAME EPM_PASSWORD
until_said "$work/provider.address" http
EPM_URL="$(cat "$work/provider.address")"
export EPM_URL EPM_TOKEN_URL="$EPM_URL/oauth2/v1/token" EPM_CLIENT_ID=close-public EPM_POLL_MIN=50ms EPM_TIMEOUT=60s
export EPM_SCOPE='urn:opc:serviceInstanceID=687065603urn:opc:resource:consumer::all offline_access'
export EPM_VERBOSE=true EPM_REFRESH_TOKEN_FILE="$token"
export EPM_SUMMARY="$written/summary" EPM_OUTPUTS_DIR="$written/outputs" EPM_JUNIT="$written/junit.xml"
export EPM_HTML="$written/page.html" EPM_DOTENV="$written/gate.env"

stop_gates() {
  kill -KILL "${gates[@]}" 2>/dev/null
}

stop_provider() {
  kill "$provider"
}

# Asks the identity service for something that only a test wants of it.
order() {
  curl --silent --show-error --fail --request POST "$EPM_URL/test/$1"
}

# A new part begins: a token file as after a login, of the client in $EPM_CLIENT_ID, and an empty log.
part() {
  say "$1"
  rm -rf "$work/auth"
  mkdir "$work/auth"
  order "seed?client=$EPM_CLIENT_ID" >"$token"
  chmod 600 "$token"
  : >"$log"
}

# So many lines of the log match.
logged() {
  local seen
  seen="$(grep --extended-regexp --count -- "$2" "$log" || true)"
  [ "$seen" -eq "$1" ] || fail "$seen lines in place of $1 are \`$2\`: $(cat "$log")"
}

# Nothing that was written holds a secret; and nothing beside the token may be read by others.
kept_secret() {
  if grep --recursive --fixed-strings "${secrets[@]}" "$written"; then fail 'a secret was written'; fi
  if find "$work/auth" -type f -perm /077 | grep .; then fail 'others may read this'; fi
}

# Runs the gate, which must end with this code.
gate() {
  expect "$1" "$static" "${@:2}"
  kept_secret
}

# Starts the gate, which says what it has to say in this file, and is waited for by `ended`.
start() {
  "$static" "${@:2}" >"$1" 2>&1 &
  started=$!
  gates+=("$started")
}

# A gate that was started has ended with this code.
ended() {
  expect "$1" waited "$2" "$3"
  kept_secret
}

waited() {
  local code=0
  wait "$1" || code=$?
  cat "$2"
  return "$code"
}

# A page of the identity service, as a browser asks for it, or sends a form to it.
browse() {
  curl --silent --show-error --fail --location --cookie "$work/cookies" --cookie-jar "$work/cookies" "$@" >"$work/page"
}

# Where the form on the page goes.
form() {
  sed --quiet 's/.*<form.* action="\([^"]*\)".*/\1/p' "$work/page"
}

# Starts a login, waits for its code, and types that in as a user does, who then presses one of two buttons.
start_login() {
  local code xsrf
  start "$work/login" login
  until_said "$work/login" "$EPM_URL/device"
  code="$(grep --only-matching --max-count 1 --extended-regexp '\<[A-Z]{4}-[A-Z]{4}\>' "$work/login" | head -n 1)"
  rm -f "$work/cookies"
  browse "$EPM_URL/device?user_code=$code"
  xsrf="$(sed --quiet 's/.*name="xsrf" value="\([^"]*\)".*/\1/p' "$work/page")"
  browse --data "xsrf=$xsrf" --data "user_code=$code" --data "$1=yes" "$EPM_URL/device"
}

# The user signs in and consents.
sign_in() {
  browse --data prompt=login --data login=close.bot --data password=any "$(form)"
  browse --data prompt=consent "$(form)"
  grep --quiet 'Sign-in Success' "$work/page" || fail "the login was not taken: $(cat "$work/page")"
}

# The token in the file is another one now than the copy.
rotated() {
  if cmp --quiet "$token" "$1"; then fail "the token was not replaced"; fi
  cp "$token" "$1"
}

# The gate says that the refresh token is of no more use, and what to do; it asks once, and submits nothing.
used_up() {
  : >"$log"
  gate 30 run --job-name ANY
  said "$token" 'epm-gate login'
  logged 1 '^answer refresh_token 400 invalid_grant'
  logged 0 '^pod POST'
}

say 'login by the device flow'
rm -rf "$token"
start_login confirm
logged 0 '^answer device_code 200'
sign_in
ended 0 "$started" "$work/login"
[ "$(stat --format %a "$token")" = 600 ] || fail "the token file has another mode than 600"
cp "$token" "$work/old"
for _ in 1 2 3; do
  gate 0 run --job-name ANY
  rotated "$work/old"
done
logged 3 '^answer refresh_token 200'
logged 3 '^pod POST'
logged 0 '^pod .* 401'

part 'login, and the user declines'
start_login abort
ended 30 "$started" "$work/login"
said 'denied access' 'epm-gate login'
gate 0 run --job-name ANY # with what was in the file

part 'login, and nobody types the code in'
order 'life?of=device&seconds=1'
gate 30 login
said 'in time' 'epm-gate login'
order 'life?of=device&seconds=600'

part 'login --renew'
cp "$token" "$work/old"
gate 0 login --renew
rotated "$work/old"
gate 0 run --job-name ANY
logged 2 '^answer refresh_token 200'
logged 1 '^pod POST'

part 'a token that is used up already'
cp "$token" "$work/old"
gate 0 run --job-name ANY
cp "$work/old" "$token"
used_up

part 'a token file that is mounted by itself'
# shellcheck disable=SC2016 # the inner shell expands them
expect 2 unshare --mount bash -c 'mount --bind "$0" "$0" && exec "$@"' "$token" "$static" run --job-name ANY
said "$token" 'mount the folder that holds it'
logged 0 '^answer'
gate 0 run --job-name ANY

part 'a token in the environment alone'
EPM_REFRESH_TOKEN="$(cat "$token")" EPM_REFRESH_TOKEN_FILE='' gate 0 run --job-name ANY
said 'EPM_REFRESH_TOKEN' '--refresh-token-file'
EPM_REFRESH_TOKEN="$(cat "$token")" EPM_REFRESH_TOKEN_FILE='' gate 30 run --job-name ANY
said 'epm-gate login'

part 'access tokens that end in mid-wait'
order 'life?of=access&seconds=6'
gate 0 run --job-name TEN_SECONDS
logged 0 '^pod .* 401'
used="$(grep '^pod GET' "$log" | grep --only-matching 'token [0-9]*' | sort --unique | wc --lines)"
[ "$used" -ge 3 ] || fail "$used tokens were enough for 10 s, though each is used for 3"
order 'life?of=access&seconds=3600'

part 'an access token that is refused in mid-wait, ahead of its time'
start "$work/gate" run --job-name TEN_SECONDS
until_said "$work/gate" 'in progress'
order expire-access
ended 0 "$started" "$work/gate"
logged 1 '^pod GET .* 401'
logged 2 '^answer refresh_token 200'

part 'a user whose access is taken away in mid-wait'
start "$work/gate" run --job-name ENDLESS
until_said "$work/gate" 'in progress'
order revoke
ended 22 "$started" "$work/gate"
said 'epm-gate attach' 'epm-gate login'
logged 1 '^answer refresh_token 400 invalid_grant'

part 'two gates at once with one file'
order 'slowness?ms=500' # so that the second begins before the first has its answer
start "$work/gate" run --job-name ANY
first=$started
start "$work/gate2" run --job-name ANY --summary "$written/summary2" --outputs-dir "$written/outputs2" \
  --junit "$written/junit2.xml" --html "$written/page2.html" --dotenv "$written/gate2.env"
ended 0 "$first" "$work/gate"
ended 0 "$started" "$work/gate2"
order 'slowness?ms=0'
gate 0 run --job-name ANY
logged 3 '^answer refresh_token 200'
logged 3 '^answer '
logged 0 '^pod .* 401'

part 'SIGKILL between the answer and the write'
order hold
start "$work/gate" run --job-name ANY
until_said "$log" 'answer refresh_token 200'
kill -STOP "$started"
order release
until_said "$log" answered
if tr '\0' '\n' <"/proc/$started/cmdline" | grep --fixed-strings "${secrets[@]}"; then
  fail 'a secret is on a command line'
fi
{ kill -KILL "$started" && wait "$started"; } 2>/dev/null || true # bash has a word of its own on it
ended 137 "$started" "$work/gate"
logged 0 '^pod POST'
used_up
said 'cut short'

export EPM_CLIENT_ID=close-confidential
part 'a client with a secret'
EPM_CLIENT_SECRET="$CLIENT_SECRET" gate 0 run --job-name ANY
printf '%s\n' "$CLIENT_SECRET" >"$work/client-secret"
gate 0 run --job-name ANY --client-secret-file "$work/client-secret"
logged 2 '^answer refresh_token 200'
cp "$token" "$work/old"
EPM_CLIENT_SECRET=another gate 30 run --job-name ANY
said invalid_client
gate 30 run --job-name ANY
said invalid_client EPM_CLIENT_SECRET
cmp "$token" "$work/old" || fail 'the token was replaced, though nothing was exchanged'
logged 2 '^answer refresh_token 401 invalid_client'
logged 2 '^pod POST'
rm "$token"
EPM_CLIENT_SECRET="$CLIENT_SECRET" start_login confirm
sign_in
ended 0 "$started" "$work/login"
EPM_CLIENT_SECRET="$CLIENT_SECRET" gate 0 run --job-name ANY

say 'no secret was seen'
