#!/usr/bin/env bash
# Installs what the tests need besides Go, or says what to install. With "soak"
# only what "make soak" needs.
set -euo pipefail

# Mosquitto stands in /usr/sbin, which an ordinary user may not search.
PATH="$PATH:/usr/sbin:/sbin"

missing=()
need() { # command, Debian package
	command -v "$1" >/dev/null || missing+=("$2")
}
need mosquitto mosquitto # a broker that is not ours
if [ "${1:-}" = soak ]; then
	need ip iproute2 # network namespaces between the sites and the center
	need tc iproute2
else
	need gcc gcc     # the race detector
	need node nodejs # independent clients of the simulated terminals
	need npm npm
fi

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "the tests need: ${missing[*]}" >&2
	echo "install them, on Debian: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# RUNLEVEL=1 keeps Mosquitto's package from starting a broker on this machine.
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
