#!/usr/bin/env bash
# Certificates that do not hold, and those of a CA that is one's own, with stunnel (OpenSSL) before a sandbox: what the
# gate says of each, and which way out it shows. Needs root, and the network for apt the first time.
. "${BASH_SOURCE[0]%/*}/tls.bash"

debian stunnel stunnel4
built
own_network

log="$work/stunnel.log"
ca="$work/root.pem"

authority root 'Acme Root'
authority between 'Acme Servers' root
authority stranger 'Some Other Root'
certificate good root "DNS:$pod,IP:127.0.0.1,IP:::1"
certificate expired root "DNS:$pod" -60d
certificate early root "DNS:$pod" +60d
certificate elsewhere root 'DNS:other.example.com,DNS:*.example.org'
certificate unchained between "DNS:$pod"
certificate self self "DNS:$pod"
# What `openssl req -x509` makes says that it is a CA. The second one names its host in the common name alone.
requested appliance "$pod"
signed appliance appliance "$(printf 'basicConstraints=critical,CA:TRUE\nsubjectAltName=DNS:%s' "$pod")"
authority nameless "$pod"
cat "$work/unchained.pem" "$work/between.pem" >"$work/chained.pem"
cp "$work/unchained.key" "$work/chained.key"
ports=(good expired early elsewhere unchained chained self appliance nameless only-1.2 only-1.3)

# What stunnel is to do: a port for each certificate, and one for each version of TLS alone.
services() {
  local port name
  printf 'foreground = yes\npid =\nsyslog = no\n'
  for port in "${!ports[@]}"; do
    name="${ports[$port]}"
    printf '[%s]\naccept = :::%s\nconnect = %s\n' "$name" "$((4430 + port))" "${EPM_URL#http://}"
    case $name in
    only-*) printf 'sslVersion = TLSv%s\n' "${name#only-}" && name=good ;;
    esac
    printf 'cert = %s\nkey = %s\n' "$work/$name.pem" "$work/$name.key"
  done
}

serve --scenario "$scenario" --log "$requests"
services >"$work/stunnel.conf"
stunnel "$work/stunnel.conf" 2>>"$log" &
stunnel=$!
at_end stop_stunnel
until_open 4430

stop_stunnel() {
  kill "$stunnel"
}

# A run against the service of this name, which must end with this code.
against() {
  local port
  for port in "${!ports[@]}"; do [ "${ports[$port]}" != "$2" ] || break; done
  : >"$log"
  expect "$1" env EPM_URL="https://${host:-$pod}:$((4430 + port))" "$static" run --job-name ANY "${@:3}"
}

# A run does not trust this certificate, does not try again, and says these things.
refused() {
  against 31 "$1" --ca-cert "$ca"
  said "$pod" "${@:2}"
  [ "$(grep --text --count 'accepted connection' "$log")" -eq 1 ] || fail "not one connection: $(cat "$log")"
}

say 'certificates of a CA of our own'
against 31 good
said 'Acme Root' '--ca-cert'
against 0 good --ca-cert "$ca"
SSL_CERT_FILE="$ca" against 0 good
SSL_CERT_FILE="$work/stranger.pem" against 31 good
said 'Acme Root' '--ca-cert'
host=127.0.0.1 against 0 good --ca-cert "$ca"
host='[::1]' against 0 good --ca-cert "$ca"
against 0 chained --ca-cert "$ca"
against 0 unchained --ca-cert "$work/between.pem"
openssl x509 -in "$ca" -outform der -out "$work/root.der"
against 0 good --ca-cert "$work/root.der"

say 'a bundle of several'
{ printf '# Some Other Root\r\n' && sed 's/$/\r/' "$work/stranger.pem"; } >"$work/bundle.pem"
{ printf '\nAcme:\n' && cat "$ca"; } >>"$work/bundle.pem"
against 0 good --ca-cert "$work/bundle.pem"
SSL_CERT_FILE="$work/bundle.pem" against 0 good

say 'certificates that do not hold'
refused expired 'expired' "$(date --utc --date '30 days ago' +%Y-%m-%d)"
refused early 'not valid' "$(date --utc --date '60 days' +%Y-%m-%d)" 'clock'
refused elsewhere 'other.example.com' '*.example.org'
refused unchained 'Acme Servers' '--ca-cert'
refused self 'self-signed' '--ca-cert'
refused appliance 'self-signed' '--ca-cert'

say 'one that signs itself, and is given'
for name in self appliance; do
  against 0 "$name" --ca-cert "$work/$name.pem"
  SSL_CERT_FILE="$work/$name.pem" against 0 "$name"
  host=127.0.0.1 against 31 "$name" --ca-cert "$work/$name.pem"
  said 127.0.0.1 "$pod"
  against 31 good --ca-cert "$work/$name.pem"
  said 'Acme Root'
done
against 31 nameless --ca-cert "$work/nameless.pem"
said 'no host'

say 'one version of TLS alone'
against 0 only-1.2 --ca-cert "$ca"
against 0 only-1.3 --ca-cert "$ca"

say 'files without a certificate'
: >"$work/empty.pem"
openssl pkey -in "$work/root.key" -outform der -out "$work/root.key.der"
printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' >"$work/nonsense.pem"
for file in empty.pem nonsense.pem root.key root.key.der root.csr missing.pem; do
  : >"$log"
  against 2 good --ca-cert "$work/$file"
  said "$work/$file"
  SSL_CERT_FILE="$work/$file" against 2 good
  said "$work/$file" SSL_CERT_FILE
  if grep --quiet 'accepted connection' "$log"; then fail 'a connection was made'; fi
done
