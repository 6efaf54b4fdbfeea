# What the scripts about proxies and certificates share: a network of their own, in which the names of a pod and of an
# identity service lead to loopback, and certificates of CAs that nobody else trusts. Needs root. Sourced in place of
# the prelude.
# shellcheck shell=bash
. "${BASH_SOURCE[0]%/*}/prelude.bash"

pod=pod.example.com
identity=identity.example.com
aliases=() # what the hosts file says besides
scenario="$work/scenario.toml"
printf '[[job]]\npolls = [{ status = 0 }]\n' >"$scenario"
export EPM_TIMEOUT=30s EPM_POLL_MIN=50ms
faketime="/usr/lib/$(uname --machine)-linux-gnu/faketime/libfaketime.so.1"
debian "$faketime" libfaketime

# Plays this script once more, in a network that has nothing but loopback and a hosts file of its own: ports are free,
# and nothing that is tried here leaves the machine. To be called when all is installed.
own_network() {
  if [ -z "${OWN_NETWORK:-}" ]; then
    OWN_NETWORK=yes unshare --mount --net bash "tests/pipelines/$script"
    exit
  fi
  printf '%s\n' "${aliases[@]}" "127.0.0.1 localhost $pod $identity" '::1 localhost' >"$work/hosts"
  mount --bind "$work/hosts" /etc/hosts
  unset HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy SSL_CERT_FILE
  python3 - <<'PYTHON'
import fcntl, socket, struct
up = struct.pack("16sH14x", b"lo", 0x41)  # IFF_UP | IFF_RUNNING
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, up)  # SIOCSIFFLAGS
PYTHON
}

# Makes a key, and a request for a certificate of this name.
requested() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/O=Acme/CN=$2" -keyout "$work/$1.key" \
    -out "$work/$1.csr" 2>/dev/null
}

# A CA: FILE NAME, and the CA that signs it where that is another one.
authority() {
  requested "$1" "$2"
  signed "$1" "${3:-$1}" 'basicConstraints=critical,CA:TRUE'
}

# A server's certificate: FILE CA, the names that it is for, and where its 30 days are not to begin now, when.
certificate() {
  requested "$1" "$1"
  signed "$1" "$2" "$(printf 'basicConstraints=CA:FALSE\nsubjectAltName=%s' "$3")" "${4:-+0}"
}

# Signs a request with the key of a CA, or with the one of the request itself.
signed() {
  local by=(-CA "$work/$2.pem" -CAkey "$work/$2.key" -CAcreateserial)
  [ "$1" != "$2" ] || by=(-signkey "$work/$1.key")
  LD_PRELOAD="$faketime" FAKETIME="${4:-+0}" openssl x509 -req -in "$work/$1.csr" "${by[@]}" -days 30 \
    -extfile <(printf '%s\n' "$3") -out "$work/$1.pem" 2>/dev/null
}

# Something listens on this port.
until_open() {
  for _ in $(seq 1 600); do
    if (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    pause
  done
  fail "nothing listens on port $1"
}
