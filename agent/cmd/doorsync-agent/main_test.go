package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"doorsync/agent/journal"
	"doorsync/protocol"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"doorsync-agent": func() { os.Exit(run()) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"journal": makeJournal, "exits": exits,
		},
	})
}

// exits runs a command line and wants an exit code: exits 2 doorsync-agent …
func exits(ts *testscript.TestScript, _ bool, a []string) {
	err := ts.Exec(a[1], a[2:]...)
	code := 0
	if err != nil {
		code = -1
		if e, ok := err.(interface{ ExitCode() int }); ok {
			code = e.ExitCode()
		}
	}
	if fmt.Sprint(code) != a[0] {
		ts.Fatalf("exit code %d, want %s", code, a[0])
	}
}

// makeJournal writes the journal of a site where two users were enrolled.
func makeJournal(ts *testscript.TestScript, _ bool, a []string) {
	ts.Check(os.MkdirAll(ts.MkAbs(a[0]), 0o700))
	j, err := journal.Open(ts.MkAbs(a[0]+"/journal.db"), journal.Options{Site: "LYON"})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	for i, name := range []string{"Anna", "Ben"} {
		e := protocol.Edit{UserID: fmt.Sprint(4 + i), Values: map[protocol.Field]protocol.Value{
			protocol.FieldName: protocol.Text(name), protocol.FieldPIN: {First: "7788"},
		}, Given: []protocol.Credential{protocol.Card(uint64(123456 + i))}}
		_, err = j.Append(ctx, journal.Batch{
			Reader: "front", ReaderID: "A1",
			Drafts:  []journal.Draft{{Event: protocol.EventEnrolled, UserID: e.UserID, Edit: &e, Detail: "name"}},
			GivenUp: []journal.GivenUp{{GivenUpKey: journal.GivenUpKey{Reader: "front", Key: e.UserID}, UserID: e.UserID, Reason: "the reader is full", Tries: 5}},
		})
		ts.Check(err)
	}
	cancel()
	ts.Check(<-ran)
	ts.Check(j.Close())
}
