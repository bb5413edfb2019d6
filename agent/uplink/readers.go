package uplink

import (
	"context"
	"math/rand/v2"
	"time"

	"doorsync/protocol/wire"
)

// How often the readers' states are told: at once when one changes, then no
// oftener than readersPause, and now and then in case it was lost.
const (
	readersPause = 500 * time.Millisecond
	readersEvery = time.Minute
)

// tellReaders tells the center the state of every reader.
func (s *session) tellReaders(ctx context.Context) error {
	if s.Readers == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		if err := s.send(wire.KindReaders, wire.Readers{Session: s.id, Readers: s.Readers.States()}); err != nil {
			return err
		}
		pause(ctx, readersPause)
		again := time.NewTimer(readersEvery + rand.N(readersEvery/4))
		select {
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		case <-s.Readers.Changed():
			again.Stop()
		case <-again.C:
		}
	}
}
