package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"go.etcd.io/bbolt"
)

// Bounds of what one commit takes together.
const (
	maxGroup      = 512
	maxGroupBytes = 8 << 20
)

// request is something to be written. do may run more than once, when another
// request of its group was refused or the commit failed.
type request struct {
	do   func(*txn) error
	size int // bytes, about
	// later: nothing is lost if the file learns of it with the next commit.
	later bool
	done  chan error
}

// submit hands a request to the writer and waits until it is durable. When ctx
// ends first it is unknown whether it will be.
func (j *Journal) submit(ctx context.Context, r *request) error {
	if j.db.IsReadOnly() {
		return ErrReadOnly
	}
	r.done = make(chan error, 1)
	select {
	case <-j.stopped:
		return ErrClosed
	default:
	}
	if j.writeAlone(r) {
		return <-r.done
	}
	select {
	case j.queue <- r:
	case <-j.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-j.stopped:
	}
	select {
	case err := <-r.done:
		return err
	default:
		return ErrClosed
	}
}

// writeAlone lets a caller write for itself, with whoever waits, when the last
// commit was one request's and none is under way: handing over to the writer and
// back would take a good part of a lone commit's time. In a crowd it would make
// groups smaller.
func (j *Journal) writeAlone(r *request) bool {
	if r.later || !j.quiet.Load() || !j.turn.TryLock() {
		return false
	}
	defer j.turn.Unlock()
	if !j.writing {
		return false
	}
	if err := j.commit(j.gather(r)); errors.Is(err, ErrDamaged) {
		select {
		case j.broken <- err:
		default:
		}
	}
	return true
}

// Run writes what callers hand in until ctx ends or Close is called; it returns
// after the last commit. Append and its like wait until Run runs. An error means
// that the file is damaged.
func (j *Journal) Run(ctx context.Context) error {
	if !j.running.CompareAndSwap(false, true) {
		select {
		case <-j.closing:
			return fmt.Errorf("run journal: %w", ErrClosed)
		default:
			return errors.New("run journal: it runs already")
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	trimmed := make(chan struct{})
	go func() {
		defer close(trimmed)
		j.trimNowAndThen(ctx)
	}()
	err := j.write(ctx)
	cancel()
	<-trimmed
	close(j.stopped)
	if err != nil {
		return fmt.Errorf("run journal: %w", err)
	}
	return nil
}

// write commits groups as they come: whoever is alone does not wait for others,
// and whoever comes during a commit shares the next one.
func (j *Journal) write(ctx context.Context) error {
	if j.db.IsReadOnly() {
		return ErrReadOnly
	}
	j.allow(true)
	defer j.allow(false)
	for {
		select {
		case r := <-j.queue:
			if err := j.group(r); errors.Is(err, ErrDamaged) {
				return err
			}
			continue
		case err := <-j.broken:
			return err
		case <-ctx.Done():
		case <-j.closing:
		}
		j.allow(false)
		return j.finish()
	}
}

// allow says whether callers may write for themselves.
func (j *Journal) allow(writing bool) {
	j.turn.Lock()
	defer j.turn.Unlock()
	j.writing = writing
}

// group commits a request together with everything that waits by now.
func (j *Journal) group(first *request) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	return j.commit(j.gather(first))
}

// finish commits what waits when the writer is told to end.
func (j *Journal) finish() error {
	for {
		select {
		case r := <-j.queue:
			if err := j.group(r); errors.Is(err, ErrDamaged) {
				return err
			}
			continue
		default:
		}
		if !j.owed {
			return nil
		}
		j.owed = false
		return j.commit([]*request{{do: func(*txn) error { return nil }, done: make(chan error, 1)}})
	}
}

// gather takes everything that waits, within bounds. In a crowd it lets those who
// were answered by the last commit go first: what they hand in next shares this
// one, instead of a few making a small group and the rest waiting for it.
func (j *Journal) gather(first *request) []*request {
	if !j.quiet.Load() {
		runtime.Gosched()
	}
	group, size := []*request{first}, first.size
	for len(group) < maxGroup && size < maxGroupBytes {
		select {
		case r := <-j.queue:
			group, size = append(group, r), size+r.size
		default:
			return group
		}
	}
	return group
}

// commit writes a group and answers its requests. A request that is refused
// leaves no trace: the others are written without it.
func (j *Journal) commit(group []*request) error {
	j.quiet.Store(len(group) == 1)
	for len(group) > 0 {
		t := &txn{reading: reading{j: j}}
		bad, err := j.try(t, group)
		if bad >= 0 {
			group[bad].done <- err
			group = slices.Delete(group, bad, bad+1)
			continue
		}
		if err == nil {
			j.publish(t)
		}
		for _, r := range group {
			r.done <- err
		}
		return err
	}
	return nil
}

// try runs a group in one transaction; bad is the request that was refused, -1
// if the fault is not one request's.
func (j *Journal) try(t *txn, group []*request) (bad int, err error) {
	bad = -1
	later := !slices.ContainsFunc(group, func(r *request) bool { return !r.later })
	transact := j.db.Update
	if later {
		transact = j.db.View
	}
	err = j.guard(func() error {
		return transact(func(tx *bbolt.Tx) error {
			if err := t.begin(tx); err != nil {
				return err
			}
			for i, r := range group {
				if err := r.do(t); err != nil {
					bad = i
					return err
				}
			}
			if later {
				return nil
			}
			return t.end()
		})
	})
	switch {
	case err == nil:
		j.stale, j.owed = false, later
	case bad < 0:
		j.stale = true
	}
	if err != nil && isFull(err) {
		err = fmt.Errorf("%s: %w: %w", j.path, ErrFull, err)
	}
	return bad, err
}

// publish makes visible what a commit made true.
func (j *Journal) publish(t *txn) {
	j.mem.Store(&t.mem)
	j.pendings = t.unsettled.commit(j.keep)
	j.watchers.tell(t)
}
