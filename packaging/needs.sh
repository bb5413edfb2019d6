#!/usr/bin/env bash
# Installs what the tests need besides Go, or says what to install. With "soak" or
# "bench" only what that needs.
set -euo pipefail

# Mosquitto stands in /usr/sbin, which an ordinary user may not search.
PATH="$PATH:/usr/sbin:/sbin"

missing=()
need() { # command, Debian package
	command -v "$1" >/dev/null || missing+=("$2")
}
case "${1:-test}" in
soak)
	need mosquitto mosquitto # a broker that is not ours
	need ip iproute2         # network namespaces between the sites and the center
	need tc iproute2
	;;
bench)
	need sqlite3 sqlite3 # what imports are held against
	;;
*)
	need mosquitto mosquitto
	need gcc gcc     # the race detector
	need node nodejs # independent clients of the simulated terminals
	need npm npm
	need systemd-analyze systemd # reads the units that task-config writes
	;;
esac

if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "this needs: ${missing[*]}" >&2
	echo "install them, on Debian: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# RUNLEVEL=1 keeps Mosquitto's package from starting a broker on this machine.
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
