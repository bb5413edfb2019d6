package reader

import (
	"context"
	"errors"
	"strings"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// State is how the reader stands now.
func (r *Reader) State() wire.ReaderState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// change changes the state and tells whoever shows it.
func (r *Reader) change(fn func(*wire.ReaderState)) {
	r.mu.Lock()
	before := r.state
	fn(&r.state)
	if r.state.State != before.State {
		r.state.Since = time.Now().UnixMilli()
	}
	changed := r.state != before
	r.mu.Unlock()
	if changed && r.o.Changed != nil {
		r.o.Changed()
	}
}

// stand notes how rows stand; what agrees is forgotten.
func (r *Reader) stand(rows map[string]standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, s := range rows {
		if s == agrees {
			delete(r.open, k)
		} else {
			r.open[k] = s
		}
	}
}

// standOnly forgets what was known of all rows but those given.
func (r *Reader) standOnly(keep map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.open {
		if !keep[k] {
			delete(r.open, k)
		}
	}
}

// count puts the standing of all rows into the state.
func (r *Reader) count(s *wire.ReaderState) {
	s.Add, s.Update, s.Delete, s.Held, s.GivenUp, s.Unknown = 0, 0, 0, 0, 0, 0
	for _, st := range r.open {
		switch st {
		case missing:
			s.Add++
		case stale:
			s.Update++
		case surplus:
			s.Delete++
		case heldUp:
			s.Held++
		case givenUp:
			s.GivenUp++
		case unknown:
			s.Unknown++
		}
	}
	if s.State = wire.ReaderInSync; s.Add+s.Update+s.Delete+s.Held+s.GivenUp > 0 {
		s.State = wire.ReaderDiffers
	}
}

// settled publishes the counts after a pass.
func (r *Reader) settled(whole bool, note string) {
	r.change(func(s *wire.ReaderState) {
		r.count(s)
		s.Error = note
		if whole && s.State == wire.ReaderInSync {
			s.Synced = time.Now().UnixMilli()
		}
	})
}

// online notes that the reader has shown its table, and journals it when it did
// not before.
func (r *Reader) online(ctx context.Context, info driver.Info) error {
	was := r.State()
	if was.State == wire.ReaderOffline {
		if err := r.tell(ctx, info.Serial, protocol.EventReaderOnline, info.Model); err != nil {
			return err
		}
		r.log.Info("reader online", "model", info.Model, "serial", info.Serial, "firmware", info.Firmware)
	}
	r.change(func(s *wire.ReaderState) {
		s.ReaderID, s.Model, s.Firmware = info.Serial, info.Model, info.Firmware
		if s.State == wire.ReaderOffline {
			s.State, s.Error, s.Users = wire.ReaderSyncing, "", max(info.Users, 0)
		}
	})
	return nil
}

// offline notes why the reader cannot be worked with; the same reason is said
// once.
func (r *Reader) offline(ctx context.Context, err error) {
	if err == nil {
		err = errors.New("the connection ended")
	}
	was := r.State()
	reason := withoutPorts(err.Error())
	if was.State == wire.ReaderOffline && was.Error == reason {
		return
	}
	if was.State != wire.ReaderOffline || was.Error == "" {
		if e := r.tell(ctx, was.ReaderID, protocol.EventReaderOffline, reason); e != nil {
			r.log.Error("cannot journal that the reader is offline", "error", e)
		}
	}
	r.log.Warn("reader offline", "error", reason)
	r.change(func(s *wire.ReaderState) { s.State, s.Error = wire.ReaderOffline, reason })
}

// withoutPorts takes our own side of a connection out of an error, or each
// attempt would give another reason.
func withoutPorts(reason string) string {
	words := strings.Split(reason, " ")
	for i, w := range words {
		if _, theirs, ok := strings.Cut(w, "->"); ok {
			words[i] = theirs
		}
	}
	return strings.Join(words, " ")
}

// tell journals an event of the reader itself.
func (r *Reader) tell(ctx context.Context, readerID string, e protocol.Event, detail string) error {
	_, err := r.o.Journal.Append(ctx, journal.Batch{
		Reader: r.o.Name, ReaderID: readerID,
		Drafts: []journal.Draft{{Event: e, Detail: detail}},
	})
	return journalError(err)
}
