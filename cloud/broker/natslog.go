package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// natsLog hands the broker's own words to our log: each kind of complaint once,
// since a stranger at the door may cause as many as they like.
type natsLog struct {
	log   *slog.Logger
	fatal chan string

	mu   sync.Mutex
	said map[string]bool
}

func (l *natsLog) once(level slog.Level, format string, args []any) {
	l.mu.Lock()
	if l.said == nil {
		l.said = map[string]bool{}
	}
	again := l.said[format]
	l.said[format] = true
	l.mu.Unlock()
	if again {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "broker: "+fmt.Sprintf(format, args...))
}

// Noticef is progress nobody asked for.
func (l *natsLog) Noticef(format string, args ...any) {
	l.log.Debug("broker: " + fmt.Sprintf(format, args...))
}

// Warnf is a complaint.
func (l *natsLog) Warnf(format string, args ...any) { l.once(slog.LevelWarn, format, args) }

// Errorf is mostly about what clients do.
func (l *natsLog) Errorf(format string, args ...any) { l.once(slog.LevelInfo, format, args) }

// Fatalf is why the broker cannot start; it ends nothing.
func (l *natsLog) Fatalf(format string, args ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, args...):
	default:
	}
}

// Debugf is not asked for.
func (l *natsLog) Debugf(string, ...any) {}

// Tracef would show payloads; never.
func (l *natsLog) Tracef(string, ...any) {}
