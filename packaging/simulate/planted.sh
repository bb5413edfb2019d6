#!/usr/bin/env bash
# Plants known bugs in copies of product files, one at a time, and sees that the
# simulation catches each. The product itself is not touched.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
to=$root/build/_planted
rm -rf "$to" && mkdir -p "$to"

# plant NAME FILE PATTERN REPLACEMENT
plant() {
	local name=$1 file=$2
	grep -q -- "$3" "$root/$file" || { echo "planted.sh: $file has no \"$3\" to plant $name at" >&2; exit 1; }
	sed "s/$3/$4/" "$root/$file" >"$to/$name.go"
	echo "{\"Replace\":{\"$root/$file\":\"$to/$name.go\"}}" >"$to/$name.json"
	echo "planted: $name"
	(cd "$root" && go test -count=1 -vet=off -overlay "$to/$name.json" -run '^TestPlantedInProduct$' ./packaging/simulate -v -args -planted "$name") |
		grep -E 'caught by seed|nothing was found|FAIL|panic' | sed -E 's/^ +//' || true
}

plant no-pair-rule protocol/fold.go \
	'^	if old, ok := held\[f\]; ok .. rules.compare(f, old.Source, s) <= 0 {' \
	'	if old, ok := held[f]; ok \&\& rules.compare(f, old.Source, s) <= 0 {\n\t\tif f == FieldValidity \&\& old.Value.First == "" {\n\t\t\told.Value.First = said.Latest.Value.First\n\t\t\theld[f] = old\n\t\t}'
plant confirm-what-is-not-stored cloud/roster/hear.go 'if !known\[e.ID\] {' 'if !known[e.ID] \&\& e.Number%9 != 0 {'
plant forget-the-epoch cloud/roster/hear.go '^func restored(ep EpochRow, h wire.Hello) bool {' 'func restored(ep EpochRow, h wire.Hello) bool {\n\treturn false'
plant no-entry-ids cloud/roster/hear.go 'if !known\[e.ID\] {' 'if !known[protocol.EntryID{}] {'
