package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// line is one line of the timeline. It is put into words only when somebody
// reads it.
type line struct {
	at   time.Time
	who  string
	what string
	args []any
}

// story is the timeline of a run, everything that the programs logged, and what
// was found wrong.
type story struct {
	mu     sync.Mutex
	begun  time.Time
	lines  []line
	logged []string
	wrong  []string
}

func (s *story) tell(who, what string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line{time.Now(), who, what, args})
}

// tooMuch is more than ever happens in a run that comes to rest.
const tooMuch = 60_000

// endless tells that so much has happened that it will never end.
func (s *story) endless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines) > tooMuch
}

// fault notes something that must not be.
func (s *story) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.tell("CHECK", "%s", text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, text)
}

func (s *story) faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.wrong...)
}

// text is the timeline for people.
func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return words(s.begun, s.lines)
}

func words(begun time.Time, lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s  %-12s %s\n", since(l.at.Sub(begun)), l.who, fmt.Sprintf(l.what, l.args...))
	}
	return b.String()
}

// since prints a time since the beginning: days, hours and so on.
func since(d time.Duration) string {
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	h, m, sec := d/time.Hour, d/time.Minute%60, d.Seconds()
	for sec >= 60 {
		sec -= float64(int(sec) / 60 * 60)
	}
	return fmt.Sprintf("%3dd %02d:%02d:%010.7f", days, h, m, sec)
}

// logger is a program's log: it is kept to look for secrets in it, and what is
// worth a warning is in the timeline.
func (s *story) logger(who string) *slog.Logger {
	text := slog.NewTextHandler(book{s}, &slog.HandlerOptions{Level: slog.LevelDebug})
	return slog.New(teller{Handler: text, s: s, who: who})
}

type book struct{ s *story }

func (b book) Write(p []byte) (int, error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.logged = append(b.s.logged, string(p))
	return len(p), nil
}

// teller puts warnings into the timeline as well.
type teller struct {
	slog.Handler
	s   *story
	who string
}

func (t teller) WithAttrs(a []slog.Attr) slog.Handler {
	t.Handler = t.Handler.WithAttrs(a)
	return t
}

func (t teller) WithGroup(name string) slog.Handler {
	t.Handler = t.Handler.WithGroup(name)
	return t
}

func (t teller) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool {
			text += " " + a.Key + "=" + strings.ReplaceAll(a.Value.String(), "\n", " ")
			return true
		})
		t.s.tell(t.who, "log: %s", text)
	}
	return t.Handler.Handle(ctx, r)
}
