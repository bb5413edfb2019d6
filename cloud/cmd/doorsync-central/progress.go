package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// progress is one line on a terminal that is written over; elsewhere it is
// nothing.
type progress struct {
	w     io.Writer
	width int
}

func newProgress(cmd *cobra.Command) *progress {
	f, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) { //nolint:gosec // file descriptors are small
		return &progress{}
	}
	return &progress{w: f}
}

func (p *progress) show(format string, args ...any) {
	if p.w == nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(p.w, "\r%s%s", text, strings.Repeat(" ", max(p.width-len(text), 0))) // a terminal that went away
	p.width = len(text)
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil && p.width > 0 {
		_, _ = fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width)) // as above
		p.width = 0
	}
}

// share is how much is done, for people.
func share(done, total int) string {
	if total == 0 {
		return grouped(done)
	}
	return fmt.Sprintf("%s of %s (%d %%)", grouped(done), grouped(total), min(done, total)*100/total)
}
