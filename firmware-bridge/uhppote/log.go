package uhppote

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
)

// maxEvents is how many events one ReadLog returns at most: each is a request.
// The next call goes on from there.
const maxEvents = 1000

// place is a place in the controller's log: the last event that was read, and
// what it was, since an index begins anew when the log is cleared.
type place struct {
	index uint32 // 0: the log was empty
	print uint32
}

func (p place) cursor() []byte { return fmt.Appendf(nil, "%d %08x", p.index, p.print) }

func placeOf(cursor []byte) (place, bool) {
	var p place
	n, err := fmt.Sscanf(string(cursor), "%d %08x", &p.index, &p.print)
	return p, err == nil && n == 2 && string(p.cursor()) == string(cursor)
}

func at(p packet.Packet) place {
	if p.Uint32() == 0 {
		return place{}
	}
	h := fnv.New32a()
	_, _ = h.Write(p[8:28]) // never fails
	return place{index: p.Uint32(), print: h.Sum32()}
}

// ReadLog reads the events after cursor by index, the controller's own mark of
// what was read left alone: other programs move it.
func (s *session) ReadLog(ctx context.Context, cursor []byte) (driver.Log, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return driver.Log{}, fmt.Errorf("read log: %w", err)
	}
	defer end()
	r := reading{session: s}
	if err := r.read(ctx, cursor); err != nil {
		return driver.Log{}, fmt.Errorf("read log: %w", err)
	}
	return driver.Log{Notices: r.notices, Cursor: r.at.cursor(), Gap: strings.Join(r.gaps, "; ")}, nil
}

// reading is one ReadLog under way.
type reading struct {
	*session
	at      place
	last    place
	notices []driver.Notice
	gaps    []string
}

func (r *reading) read(ctx context.Context, cursor []byte) error {
	last, err := r.event(ctx, packet.LastEvent)
	if err != nil {
		return err
	}
	r.last = at(last)
	if len(cursor) == 0 {
		r.at = r.last
		return nil
	}
	from, ok := placeOf(cursor)
	if !ok {
		r.at = r.last
		r.gap("the place in the log was not known; it is read on from its end")
		return nil
	}
	next, err := r.after(ctx, from)
	if err != nil {
		return err
	}
	return r.walk(ctx, next)
}

// after finds the index to read on from, and notices what is gone.
func (r *reading) after(ctx context.Context, from place) (uint32, error) {
	r.at = from
	if from.index != 0 {
		p, err := r.event(ctx, from.index)
		if err != nil {
			return 0, err
		}
		if at(p) == from {
			return from.index + 1, nil
		}
		if p[12] != packet.EventOverwritten {
			r.at, from = place{}, place{}
			r.gap("the log was cleared, events may be lost")
		}
	}
	if r.last.index == 0 {
		return 1, nil
	}
	return r.first(ctx, from.index+1)
}

// first is the oldest event there is, want if that is not gone yet.
func (r *reading) first(ctx context.Context, want uint32) (uint32, error) {
	p, err := r.event(ctx, packet.FirstEvent)
	if err != nil {
		return 0, err
	}
	first := p.Uint32()
	if first <= want {
		return want, nil
	}
	r.lost(want, first-1)
	return first, nil
}

func (r *reading) walk(ctx context.Context, next uint32) error {
	end := r.last.index
	if end >= next && end-next >= maxEvents {
		end = next + maxEvents - 1
	}
	missing := uint32(0)
	for i := next; i <= end && i != 0; i++ {
		p, err := r.event(ctx, i)
		if err != nil {
			return err
		}
		if p.Uint32() != i || p[12] == packet.EventOverwritten {
			if missing == 0 {
				missing = i
			}
			continue
		}
		if missing != 0 {
			r.lost(missing, i-1)
			missing = 0
		}
		r.at = at(p)
		if n, ok := r.notice(p.Event(r.zone)); ok {
			r.notices = append(r.notices, n)
		}
	}
	if missing != 0 {
		// Nothing after them was read, so there is no event to go on from but
		// the one before; they are looked for again.
		return r.skip(ctx, missing, end)
	}
	return nil
}

// skip deals with a run of missing events at the end of what was read.
func (r *reading) skip(ctx context.Context, missing, end uint32) error {
	if end == r.last.index {
		return nil // overwritten or cleared while being read: the next call tells
	}
	r.lost(missing, end)
	next := end + 1
	if first, err := r.first(ctx, next); err != nil {
		return err
	} else if first > next {
		next = first
	}
	return r.walk(ctx, next)
}

// event asks for one event by index, or for the first or last.
func (r *reading) event(ctx context.Context, index uint32) (packet.Packet, error) {
	return r.line.ask(ctx, r.line.request(packet.OpGetEvent).WithUint32(index), func(p packet.Packet) error {
		if n := p.Uint32(); n != index && n != 0 && index != packet.FirstEvent && index != packet.LastEvent {
			return fmt.Errorf("%w: another event than asked for", packet.ErrMalformed)
		}
		return nil
	})
}

func (r *reading) gap(what string) { r.gaps = append(r.gaps, what) }

func (r *reading) lost(from, to uint32) {
	if from == to {
		r.gap(fmt.Sprintf("event %d is lost", from))
		return
	}
	r.gap(fmt.Sprintf("events %d to %d are lost", from, to))
}
