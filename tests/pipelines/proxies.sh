#!/usr/bin/env bash
# Through proxies, and around them: tinyproxy, which asks for a password and passes TLS on unseen, and mitmproxy, which
# looks into it. Before them a sandbox that speaks TLS, which is pod and identity service by two names. Needs root, and
# the network for apt and pip the first time.
. "${BASH_SOURCE[0]%/*}/tls.bash"

debian tinyproxy tinyproxy-bin
pypi
built
own_network

log="$work/proxy.log"
login='close:pr0xy.pa55w0rd' # tinyproxy takes no other signs than these
hard='close:Pr0xy+/@&s%cret'
hard_in_url='close:Pr0xy%2B%2F%40%26s%25cret'
secrets+=(-e sbx-access- -e sbx-secret-) # how the secrets of the sandbox's identity service begin
for secret in "$login" "$hard" "$hard_in_url"; do
  secrets+=(-e "${secret#*:}" -e "$(printf '%s' "$secret" | base64 --wrap=0)")
done

authority root 'Acme Root'
certificate server root "DNS:$pod,DNS:$identity,IP:127.0.0.1"
serve --scenario "$scenario" --port 8443 --tls-cert "$work/server.pem" --tls-key "$work/server.key" --log "$requests"
export EPM_URL="https://$pod:8443" EPM_CA_CERT="$work/root.pem"

# Starts a proxy, and waits until it listens on this port.
proxy() {
  "${@:2}" >>"$work/proxy.out" 2>&1 &
  proxies+=("$!")
  output="$work/proxy.out" until_open "$1"
}
proxies=()

stop_proxies() {
  kill "${proxies[@]}"
  wait "${proxies[@]}"
}
at_end stop_proxies

cat >"$work/tinyproxy.conf" <<END_OF_CONF
Listen 127.0.0.1
Port 3128
BasicAuth ${login/:/ }
LogFile "$log"
LogLevel Info
END_OF_CONF
proxy 3128 tinyproxy -d -c "$work/tinyproxy.conf"
tiny="http://$login@localhost:3128"

# The gate ends with this code in this environment (up to `--`), having asked the proxy for these hosts.
asks() {
  local code=$1 hosts=$2 environment=() seen
  shift 2
  while [ "$1" != -- ]; do
    environment+=("$1")
    shift
  done
  : >"$log"
  expect "$code" env "${environment[@]}" "$static" "${@:2}"
  seen="$(sed --quiet 's/.*Request (file descriptor [0-9]*): CONNECT \([^ ]*\) .*/\1/p' "$log" | sort --unique | xargs)"
  [ "$seen" = "$hosts" ] || fail "the proxy was asked for '$seen' in place of '$hosts', with ${environment[*]}"
}

say 'a proxy that asks for a password'
asks 0 "$pod:8443" HTTPS_PROXY="$tiny" -- run --job-name GL_DATA_LOAD
if sed 's/.*CONNECT [^ ]* HTTP.*//' "$log" | grep --extended-regexp --ignore-case 'aif|GL_DATA|authorization'; then
  fail 'the proxy saw more than where to connect to'
fi
job=$first_id
submits 1
asks 0 "$pod:8443" https_proxy="$tiny" -- status "$job"
asks 0 "$pod:8443" HTTPS_PROXY="${tiny#http://}" -- status "$job"
asks 0 "$pod:8443" ALL_PROXY="$tiny" -- status "$job"
asks 0 "$pod:8443" HTTPS_PROXY="$tiny" https_proxy=http://localhost:1 -- status "$job"
for without in http://localhost:3128 localhost:3128; do
  asks 30 "$pod:8443" HTTPS_PROXY="$without" -- run --job-name ANY
  said 407 proxy HTTPS_PROXY
done
# tinyproxy says 401 to a wrong password, so that it looks like any proxy that opens no way.
wrong=pr0xy.wrong
asks 31 "$pod:8443" HTTPS_PROXY="http://close:$wrong@localhost:3128" -- run --job-name ANY --outage-budget 1s
said 'the proxy refused the way' password HTTPS_PROXY
not_said "$wrong"
asks 31 '' HTTPS_PROXY="http://close:$wrong@localhost:1" -- run --job-name ANY --outage-budget 1s
said 'no connection to the proxy' HTTPS_PROXY
not_said "$wrong"
submits 1

say 'around a proxy'
for list in "$pod" example.com .example.com "$pod:8443" .example.com:8443 '*' "a.example.org, ${pod^^}, 10.0.0.0/8"; do
  asks 0 '' HTTPS_PROXY="$tiny" NO_PROXY="$list" -- status "$job"
  asks 0 '' https_proxy="$tiny" no_proxy="$list" -- status "$job"
done
for list in '' od.example.com "$pod:443" ample.com example.co 127.0.0.0/8 pod; do
  asks 0 "$pod:8443" HTTPS_PROXY="$tiny" NO_PROXY="$list" -- status "$job"
done
ip=EPM_URL=https://127.0.0.1:8443
for list in 127.0.0.1 127.0.0.0/8 127.0.0.1:8443 '*'; do
  asks 0 '' "$ip" HTTPS_PROXY="$tiny" NO_PROXY="$list" -- status "$job"
done
for list in 127.0.0.2 10.0.0.0/8 127.0.0.1:443 localhost; do
  asks 0 127.0.0.1:8443 "$ip" HTTPS_PROXY="$tiny" NO_PROXY="$list" -- status "$job"
done

say 'a proxy that looks into TLS'
proxy 8080 mitmdump --mode regular@8080 --listen-host 127.0.0.1 --set confdir="$work/mitmproxy" --set flow_detail=1 \
  --set ssl_verify_upstream_trusted_ca="$work/root.pem" --proxyauth "$hard"
export HTTPS_PROXY="http://$hard_in_url@127.0.0.1:8080"
inspector="$work/mitmproxy/mitmproxy-ca-cert.pem"
expect 31 "$static" run --job-name ANY
said mitmproxy --ca-cert
expect 30 env HTTPS_PROXY="http://close:$wrong@127.0.0.1:8080" "$static" run --job-name ANY --ca-cert "$inspector"
said 407 proxy HTTPS_PROXY
not_said "$wrong"
submits 1
expect 0 "$static" run --job-name ANY --ca-cert "$inspector"
submits 2
expect 0 env EPM_CA_CERT='' SSL_CERT_FILE="$inspector" "$static" status "$job"
output="$work/proxy.out" said "POST https://$pod:8443/aif/rest/V1/jobs" # it did look into it
unset HTTPS_PROXY

say 'the identity service and the pod on different sides'
jwt=(EPM_USERNAME='' EPM_PASSWORD='' EPM_TOKEN_URL="https://$identity:8443/oauth2/v1/token"
  EPM_CLIENT_ID=sandbox-confidential EPM_CLIENT_SECRET='sbx-secret-9+/=&Qz'
  EPM_JWT_KEY_FILE=sandbox/keys/jwt-key.pkcs8.pem EPM_JWT_KEY_ID=sandbox-key EPM_JWT_SUBJECT="$EPM_USERNAME"
  EPM_SCOPE=urn:opc:serviceInstanceID=687065603urn:opc:resource:consumer::all)
asks 0 "$identity:8443 $pod:8443" HTTPS_PROXY="$tiny" "${jwt[@]}" -- status "$job"
asks 0 "$pod:8443" HTTPS_PROXY="$tiny" NO_PROXY="$identity" "${jwt[@]}" -- status "$job"
asks 0 "$identity:8443" HTTPS_PROXY="$tiny" NO_PROXY="$pod" "${jwt[@]}" -- status "$job"
asks 0 '' HTTPS_PROXY="$tiny" NO_PROXY=example.com "${jwt[@]}" -- status "$job"
asks 30 "$identity:8443" HTTPS_PROXY=http://localhost:3128 NO_PROXY="$pod" "${jwt[@]}" -- status "$job"
said 407 proxy HTTPS_PROXY
