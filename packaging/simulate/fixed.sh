#!/usr/bin/env bash
# Writes to the folder $1 an overlay for the Go runtime in which everything that
# chance decides inside it (which ready case of a select, the order of maps and
# of timers of one instant, math/rand) follows from one number, and prints the
# overlay's name. Together with GOMAXPROCS=1 one seed then makes one run, over
# and over. Nothing of it is part of the product.
set -eu
to=$1/_runtime
from=$(go env GOROOT)/src/runtime
mkdir -p "$to"

# put FILE PATTERN REPLACEMENT: sed, and fail if there was nothing to replace.
put() {
	grep -q -- "$2" "$to/$1" || { echo "fixed.sh: runtime/$1 of $(go env GOVERSION) has no \"$2\"" >&2; exit 1; }
	sed -i.bak "s/$2/$3/" "$to/$1" && rm "$to/$1.bak"
}

for file in rand.go select.go time.go proc.go alg.go; do cp "$from/$file" "$to/$file"; done
put rand.go '^func rand() uint64 {' 'func rand() uint64 {\n\tif simulated != 0 {\n\t\treturn nextSimulated()\n\t}'
put select.go 'cheaprandn(uint32(norder + 1))' 'simulatedBelow(uint32(norder + 1))'
put time.go 't.rand = cheaprand()' 't.rand = simulatedBelow(1 << 31)'
put alg.go 'bootstrapRand()' '0x9e3779b97f4a7c15'
put proc.go '^func retake(now int64) uint32 {' 'func retake(now int64) uint32 {\n\tif simulated != 0 {\n\t\treturn 0\n\t}'
cat >>"$to/rand.go" <<'GO'

// simulated is the state of chance in a simulation, 0 outside of one.
var simulated uint64

//go:nosplit
func nextSimulated() uint64 {
	simulated += 0x9e3779b97f4a7c15
	z := simulated
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

//go:nosplit
func simulatedBelow(n uint32) uint32 {
	if simulated == 0 {
		return cheaprandn(n)
	}
	return uint32(uint64(uint32(nextSimulated())) * uint64(n) >> 32)
}

//go:linkname setSimulated doorsync/packaging/simulate.setSimulated
func setSimulated(seed uint64) { simulated = seed }
GO
{
	echo '{"Replace":{'
	comma=
	for file in rand.go select.go time.go proc.go alg.go; do
		printf '%s"%s/%s":"%s/%s"\n' "$comma" "$from" "$file" "$to" "$file"
		comma=,
	done
	echo '}}'
} >"$to/overlay.json"
echo "$to/overlay.json"
