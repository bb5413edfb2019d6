package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"doorsync/agent/console"
	"doorsync/protocol/wire"
)

// A reader that could not be compared is not called in sync, whatever it was before.
func TestResultsOfSync(t *testing.T) {
	for name, c := range map[string]struct {
		r    console.SyncResult
		want string
	}{
		"in line":                  {console.SyncResult{ReaderState: wire.ReaderState{Name: "front", State: wire.ReaderInSync}}, "in sync"},
		"half a table":             {console.SyncResult{ReaderState: wire.ReaderState{Name: "front", State: wire.ReaderInSync}, Failed: "the table is incomplete"}, "not compared: the table is incomplete"},
		"gone":                     {console.SyncResult{ReaderState: wire.ReaderState{Name: "front", State: wire.ReaderOffline, Error: "no answer"}, Failed: "no answer"}, ": no answer"},
		"differs, and was refused": {console.SyncResult{ReaderState: wire.ReaderState{Name: "front", State: wire.ReaderDiffers}, Failed: "refused"}, "differs: refused"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&out)
			if err := printResults(cmd, []console.SyncResult{c.r}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), c.want) || (c.r.Failed != "" && strings.Contains(out.String(), "in sync")) {
				t.Errorf("printed %q, want %q", out.String(), c.want)
			}
		})
	}
}
