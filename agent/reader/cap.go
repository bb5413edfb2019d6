package reader

import (
	"context"
	"fmt"
	"slices"

	"doorsync/agent/journal"
	"doorsync/protocol"
)

// cap keeps more deletes than are usual for a person to confirm. A delete that
// was held once stays so, however few are left with it.
func (l *line) cap(ctx context.Context, dels []item, p policy) ([]item, error) {
	if p.deletes {
		l.deleted, l.spoken = l.deleted+len(dels), false
		return dels, nil
	}
	free, held, err := l.heldBefore(dels)
	if err != nil {
		return nil, err
	}
	if n := l.deleted + len(free); n <= 10 || 5*n <= l.total {
		l.deleted = n
	} else {
		free, held = nil, dels
	}
	if len(held) == 0 {
		l.spoken = l.spoken && !p.whole
		return free, nil
	}
	return free, l.hold(ctx, held)
}

// heldBefore tells deletes that were held from those that are new.
func (l *line) heldBefore(dels []item) (free, held []item, err error) {
	for _, it := range dels {
		mem, err := l.recall(it.key)
		switch {
		case err != nil:
			return nil, nil, err
		case mem != nil && mem.Waits:
			held = append(held, it)
		default:
			free = append(free, it)
		}
	}
	return free, held, nil
}

// hold remembers, in the journal, that deletes wait for a person, and says so
// once.
func (l *line) hold(ctx context.Context, its []item) error {
	l.rows.Lock()
	defer l.rows.Unlock()
	for part := range slices.Chunk(its, chunk) {
		b := journal.Batch{Reader: l.o.Name, ReaderID: l.info.Serial}
		stands := map[string]standing{}
		for _, it := range part {
			mem, err := l.recall(it.key)
			if err != nil {
				return err
			}
			stands[it.key] = heldUp
			if mem == nil || mem.Waits {
				continue
			}
			m := mem.clone()
			m.Waits = true
			stored, err := l.remember(it.key, &m)
			if err != nil {
				return err
			}
			b.Rows = append(b.Rows, stored)
		}
		if err := l.commit(ctx, b); err != nil {
			return err
		}
		l.stand(stands)
	}
	return l.tellHeld(ctx, len(its))
}

func (l *line) tellHeld(ctx context.Context, n int) error {
	if l.spoken {
		return nil
	}
	l.log.Warn("deletes held", "deletes", n, "users", l.total)
	detail := fmt.Sprintf("%d of %d users would be deleted; sync --confirm-deletes does it", n, l.total)
	if err := l.tell(ctx, l.info.Serial, protocol.EventDeletesHeld, detail); err != nil {
		return err
	}
	l.spoken = true
	return nil
}
