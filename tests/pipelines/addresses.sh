#!/usr/bin/env bash
# A host with several addresses, of which the first ones are dead: they refuse, or never open a connection. The gate goes
# on to the next one, and submits once. Needs root, and the network for apt the first time.
. "${BASH_SOURCE[0]%/*}/tls.bash"

alive=127.0.0.9
dead=(::1 127.0.0.1)
aliases=("$alive $pod" "::1 $pod")
debian stunnel stunnel4
built
own_network

authority root 'Acme Root'
certificate server root "DNS:$pod"
serve --scenario "$scenario" --log "$requests"
cat >"$work/stunnel.conf" <<END_OF_CONF
foreground = yes
pid =
[pod]
accept = $alive:8443
connect = ${EPM_URL#http://}
cert = $work/server.pem
key = $work/server.key
END_OF_CONF
stunnel "$work/stunnel.conf" >"$work/stunnel.log" 2>&1 &
others=("$!")
at_end stop_others
until_said "$work/stunnel.log" 'Configuration successful'
export EPM_URL="https://$pod:8443" EPM_CA_CERT="$work/root.pem"

stop_others() {
  kill "${others[@]}"
}

# Listens where it lets nobody in: its queue is full.
fill() {
  python3 - "$1" 8443 "$work/full.$1" <<'PYTHON' &
import socket, sys, time
at = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]))[0]
full = socket.socket(at[0])
full.bind(at[4])
full.listen(0)
waiting = [socket.socket(at[0]) for _ in range(4)]
for client in waiting:
    client.setblocking(False)
    client.connect_ex(at[4])
open(sys.argv[3], "w").write("full")
time.sleep(600)
PYTHON
  others+=("$!")
  until_said "$work/full.$1" full
}

# RFC 6724 puts them in this order, which all resolvers follow.
addresses="$(getent ahosts "$pod" | awk '$2 == "STREAM" { print $1 }' | xargs)"
[ "$addresses" = "${dead[*]} $alive" ] || fail "$pod has the addresses $addresses"

say 'the first addresses refuse'
expect 0 "$static" run --job-name ANY
submits 1

say 'the first addresses never open'
for address in "${dead[@]}"; do fill "$address"; done
expect 0 "$static" run --job-name ANY
submits 2
