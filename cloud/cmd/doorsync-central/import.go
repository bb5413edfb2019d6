package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

const importHelp = `Imports a source: the file that it names, as the center sees it, or with --file
one of this machine, which is sent. It is one transaction: with any error in the
file nothing changes, and the report says where, in which column, and what is
wanted.

An import that would remove or change many people at once stops and asks; look
at the report, and if all is well repeat it with --confirm and the number of the
run. --dry-run tells what would be done, to whom and why, and changes nothing.

Exit codes: 0 done, or nothing new; 1 errors in the file, or failed; 4 waits for
--confirm. "sources task-config" writes what has Windows or Linux run this
command again and again.`

// importFlags is what the flags of import were set to.
type importFlags struct {
	q          client.ImportQuery
	file       string
	all, quiet bool
}

func (a *app) imports() *cobra.Command {
	var f importFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "import <source>", Short: "Import a source now",
		Long: importHelp,
		Example: `  doorsync-central import hr --dry-run
  doorsync-central import hr --file users.csv
  doorsync-central import hr --confirm 12`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error { return a.runImport(cmd, names[0], f) },
	})
	fl := cmd.Flags()
	fl.StringVar(&f.file, "file", "", `send this file; "-" is the standard input`)
	fl.BoolVar(&f.q.Dry, "dry-run", false, "tell what would be done, and change nothing")
	fl.BoolVar(&f.q.SkipBadRows, "skip-bad-rows", false, "take in the other rows where some are wrong")
	fl.Uint64Var(&f.q.Confirm, "confirm", 0, "carry out the run of this number, which waits")
	fl.BoolVar(&f.q.Force, "force", false, "also if the file is the one of the last run")
	fl.BoolVar(&f.all, "all", false, "print all effects, not the first of each kind")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "print the report only if something is wrong, for cron")
	return cmd
}

func (a *app) runImport(cmd *cobra.Command, name string, f importFlags) error {
	if f.q.Dry && f.q.Confirm > 0 {
		return usagef("either --dry-run or --confirm, not both")
	}
	c, err := a.connect()
	if err != nil {
		return err
	}
	run, err := a.send(cmd, c, name, f)
	if errors.Is(err, context.Canceled) { // unlike what only shows something, an import that was cut short is not done
		return fmt.Errorf("import %s: interrupted; \"sources runs %[1]s\" tells whether it was carried out before", name)
	}
	if err != nil {
		return err
	}
	failed := verdict(run)
	if f.quiet && failed == nil {
		return nil
	}
	return errors.Join(a.showRun(cmd, run, f.all), failed)
}

// send has the center import, and shows how it goes.
func (a *app) send(cmd *cobra.Command, c *client.Client, name string, f importFlags) (api.Run, error) {
	p := newProgress(cmd)
	defer p.end()
	f.q.News = func(n api.ImportProgress) { p.show("%s: %s", stageOf(n.Stage), share(n.Rows, n.Total)) }
	if f.file == "" {
		return c.Import(cmd.Context(), name, f.q)
	}
	if f.file == "-" {
		f.q.Content, f.q.FileName = &counting{Reader: cmd.InOrStdin(), p: p}, "standard input"
		return c.Import(cmd.Context(), name, f.q)
	}
	file, err := os.Open(f.file)
	if err != nil {
		return api.Run{}, fmt.Errorf("import %s: %w", name, err)
	}
	defer func() { _ = file.Close() }() // was only read
	info, err := file.Stat()
	if err != nil {
		return api.Run{}, fmt.Errorf("import %s: %w", name, err)
	}
	if info.IsDir() {
		return api.Run{}, usagef("%s is a folder; name the file", f.file)
	}
	f.q.Content, f.q.FileName, f.q.Modified = &counting{Reader: whole{file, info}, p: p, total: info.Size()}, wholePath(f.file), info.ModTime()
	return c.Import(cmd.Context(), name, f.q)
}

// whole is a file that must not change while it is sent: half of an old export and
// half of a new one are none.
type whole struct {
	file   *os.File
	before os.FileInfo
}

var errChanged = errors.New("the file changed while it was sent; import it again when it has been written")

func (w whole) Read(p []byte) (int, error) {
	n, err := w.file.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	now, serr := w.file.Stat()
	if serr != nil {
		return n, serr
	}
	if now.Size() != w.before.Size() || !now.ModTime().Equal(w.before.ModTime()) {
		return n, errChanged
	}
	return n, err
}

// stageOf says what an import is doing.
func stageOf(stage string) string {
	words := map[string]string{
		"queued": "waiting for another import", "copy": "copying the file", "read": "reading rows",
		"plan": "telling people apart", "import": "taking people in",
	}
	if text, ok := words[stage]; ok {
		return text
	}
	return stage
}

// counting shows how much of a file was sent.
type counting struct {
	io.Reader
	p           *progress
	sent, total int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.sent += int64(n)
	if c.total > 0 {
		c.p.show("sending: %s of %s", size(c.sent), size(c.total))
	} else {
		c.p.show("sending: %s", size(c.sent))
	}
	return n, err
}
