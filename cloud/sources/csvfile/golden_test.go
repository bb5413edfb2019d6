package csvfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud/sources/csvfile"
	"doorsync/protocol"
)

var update = flag.Bool("update", false, "write what was read as what is wanted; look at it")

// TestCases reads every folder of testdata/cases: file.csv by format.json, if it
// has one, gives want.txt. Files of one form family (people-…) must give the same
// people. The files were written by other programs than this one.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(folders) < 20 {
		t.Fatalf("%d cases only: %v", len(folders), err)
	}
	people := map[string]string{}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join(folder, "file.csv"))
			if err != nil {
				t.Fatal(err)
			}
			got, rows := dump(bytes.NewReader(file), formatOf(t, folder))
			wantFile := filepath.Join(folder, "want.txt")
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if family, _, ok := strings.Cut(filepath.Base(folder), "-"); ok && family == "people" {
				if first, ok := people[family]; ok && first != rows {
					t.Errorf("other people than in the other forms:\n%s\n%s", rows, first)
				}
				people[family] = rows
			}
		})
	}
}

func formatOf(t *testing.T, folder string) (f csvfile.Format) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "format.json"))
	if errors.Is(err, os.ErrNotExist) {
		return f
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(&f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// dump reads a file and tells everything about it; rows is what does not depend on
// its form.
func dump(file io.ReadSeeker, f csvfile.Format) (all, rows string) {
	var out, said strings.Builder
	r, err := csvfile.Open(file, f)
	if err != nil {
		return "refused: " + err.Error() + "\n", ""
	}
	fmt.Fprintln(&out, r.Describe())
	for _, n := range r.Describe().Notes {
		fmt.Fprintln(&out, "note:", n)
	}
	fmt.Fprintln(&out, "covers:", strings.Join(r.Covers(), " "))
	var row csvfile.Row
	for {
		err := r.Next(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(&out, "error:", err)
			if _, ok := errors.AsType[*csvfile.Error](err); !ok {
				break
			}
			continue
		}
		fmt.Fprintf(&out, "%d: %s\n", row.Line, tell(&row))
		fmt.Fprintf(&said, "%s %d\n", tell(&row), row.Digest())
	}
	return out.String(), said.String()
}

// tell shows what a row says, secrets as nothing but their length.
func tell(row *csvfile.Row) string {
	var parts []string
	for _, v := range row.Values {
		shown := fmt.Sprintf("%q", v.Value.First)
		switch {
		case v.Field == protocol.FieldPIN:
			shown = fmt.Sprintf("%d digits", len(v.Value.First))
		case v.Field == protocol.FieldValidity:
			shown = v.Field.Show(v.Value)
		}
		parts = append(parts, fmt.Sprintf("%s %s", v.Field, shown))
	}
	for _, c := range row.Credentials {
		parts = append(parts, fmt.Sprintf("%s %s %s/%d", c.Kind, c.Format, c.Number, c.Bits))
	}
	if len(row.Groups) > 0 {
		parts = append(parts, fmt.Sprintf("groups %q", row.Groups))
	}
	if row.SyncID != "" {
		parts = append(parts, fmt.Sprintf("sync ID %q", row.SyncID))
	}
	if row.Language != "" {
		parts = append(parts, "language "+row.Language)
	}
	return strings.Join(parts, ", ")
}
