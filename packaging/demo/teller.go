package main

import (
	"fmt"
	"io"
	"time"
)

// teller prints the story, aligned, one line for each thing that held.
type teller struct {
	out  io.Writer
	step int
}

func (t *teller) printf(format string, args ...any) {
	fmt.Fprintf(t.out, format+"\n", args...)
}

func (t *teller) title(text string) { t.printf("%s\n", text) }

// chapter begins a numbered part of the story.
func (t *teller) chapter(format string, args ...any) {
	t.step++
	t.printf("\n%d. %s", t.step, fmt.Sprintf(format, args...))
}

// fact is a line of the set-up.
func (t *teller) fact(what, value string) { t.printf("   %-14s %s", what, value) }

// held is something that came true, and when.
func (t *teller) held(where, what string, after time.Duration) {
	t.printf("   %-14s %-44s %8s", where, what, span(after))
}

// note is something that is so.
func (t *teller) note(where, what string) { t.printf("   %-14s %s", where, what) }

// span is a time in the unit that people read easily.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
