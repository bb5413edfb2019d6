#!/usr/bin/env bash
# Plants known bugs in copies of product files, one at a time, and sees that the
# simulation catches each within 1,000 seeds, by a check that speaks of what the
# bug breaks. The product itself is not touched.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
to=$root/build/_planted
rm -rf "$to" && mkdir -p "$to"
only=${1:-}
missed=0

# in_file FILE PATTERN REPLACEMENT: one change of the bug that is next.
in_file() {
	local copy
	copy=$to/next/$(echo "$1" | tr / _)
	mkdir -p "$to/next"
	[ -e "$copy" ] || cp "$root/$1" "$copy"
	grep -q -- "$2" "$copy" || { echo "planted.sh: $1 has no \"$2\" to plant a bug at" >&2; exit 1; }
	sed -i.bak "s/$2/$3/" "$copy" && rm "$copy.bak"
	echo "$1" >>"$to/next/files"
}

# plant NAME WORDS: see that the bug made by the changes before is caught, by a
# fault that matches the words.
plant() {
	local name=$1 says=$2 comma= file
	mv "$to/next" "$to/$name"
	[ -z "$only" ] || [ "$only" = "$name" ] || return 0
	{
		echo '{"Replace":{'
		sort -u "$to/$name/files" | while read -r file; do
			printf '%s"%s":"%s"\n' "$comma" "$root/$file" "$to/$name/$(echo "$file" | tr / _)"
			comma=,
		done
		echo '}}'
	} >"$to/$name.json"
	echo "planted: $name"
	(cd "$root" && go test -count=1 -vet=off -overlay "$to/$name.json" -run '^TestPlantedInProduct$' ./packaging/simulate -v -args -planted "$name" -says "$says") >"$to/$name.log" 2>&1 || missed=1
	grep -E 'caught by seed|is planted, and|FAIL|panic' "$to/$name.log" | sed -E 's/^ +//' || { cat "$to/$name.log"; missed=1; }
}

# A pair is one value: the source that is higher gives both dates.
in_file protocol/fold.go \
	'^	if old, ok := held\[f\]; ok .. rules.compare(f, old.Source, s) <= 0 {' \
	'	if old, ok := held[f]; ok \&\& rules.compare(f, old.Source, s) <= 0 {\n\t\tif f == FieldValidity \&\& old.Value.First == "" {\n\t\t\told.Value.First = said.Latest.Value.First\n\t\t\theld[f] = old\n\t\t}'
plant no-pair-rule 'the roster has .*validity=[^,]+,.*; must be .*validity=,'

# What is confirmed must be stored.
in_file cloud/roster/hear.go 'if !known\[e.ID\] {' 'if !known[e.ID] \&\& e.Number%9 != 0 {'
plant confirm-what-is-not-stored 'an entry that the center took is not there any more'

# Nobody tells journals apart any more: neither the center, of a hello and of
# entries, nor the agent, of what was confirmed. Each of them alone is enough.
in_file cloud/roster/hear.go '^func restored(ep EpochRow, h wire.Hello) bool {' '&\n\treturn false'
in_file cloud/roster/hear.go '^func foreign(ep \*EpochRow, e \*protocol.Entry) bool {' '&\n\treturn false'
in_file agent/journal/outbox.go '^	if c.Taken > h.Last {' '	if false {'
in_file agent/journal/outbox.go ' hash != nil && !bytes.Equal(hash, c.Hash) {' ' hash != nil \&\& false {'
plant forget-the-epoch 'was acknowledged and is not at the center'

# Entries that come again under a new epoch are known by their IDs.
in_file cloud/roster/hear.go 'if !known\[e.ID\] {' 'if !known[protocol.EntryID{}] {'
plant no-entry-ids 'is at the center 2 times'

exit $missed
