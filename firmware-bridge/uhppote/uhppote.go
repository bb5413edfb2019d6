// Package uhppote speaks with UHPPOTE controllers of one to four doors, over
// UDP or TCP. A controller holds cards: number, first and last day, a permission
// for each door, a PIN. It holds no names and no user IDs.
package uhppote

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

// Driver makes sessions with one controller.
type Driver struct{ settings }

// New checks the configuration of a controller and connects to nothing.
func New(c driver.Config) (*Driver, error) {
	s, err := read(c)
	if err != nil {
		return nil, err
	}
	return &Driver{settings: s}, nil
}

// Project tells, without a connection, what the controller can hold of a user.
func (d *Driver) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	return projection{d.settings}.Project(u)
}

// Open asks the controller what it is. There is no connection to hold: a
// controller answers whoever asks.
func (d *Driver) Open(ctx context.Context) (driver.Session, error) {
	l, err := reach(ctx, d.settings)
	if err != nil {
		return nil, fmt.Errorf("open controller %s: %w", d.name, err)
	}
	life, end := context.WithCancelCause(context.Background())
	s := &session{projection: projection{d.settings}, line: l, life: life, end: end}
	if err := s.introduce(ctx); err != nil {
		end(nil)
		return nil, fmt.Errorf("open controller %s: %w", d.name, err)
	}
	if d.listen.IsValid() {
		return &watching{session: s}, nil
	}
	return s, nil
}

// session is one controller, until closed.
type session struct {
	projection
	line *line
	info driver.Info
	life context.Context // ends with Close
	end  context.CancelCauseFunc
	wg   sync.WaitGroup // operations under way
	mu   sync.Mutex     // guards closed
	shut bool
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Projector = (*Driver)(nil)
	_ driver.Session   = (*session)(nil)
	_ driver.Projector = (*session)(nil)
	_ driver.Getter    = (*session)(nil)
	_ driver.Logger    = (*session)(nil)
	_ driver.Clock     = (*session)(nil)
	_ driver.Pinger    = (*session)(nil)
	_ driver.Watcher   = (*watching)(nil)
)

func (s *session) introduce(ctx context.Context) error {
	reply, err := s.line.ask(ctx, s.line.request(packet.OpDevice), nil)
	if err != nil {
		return err
	}
	dev, _ := reply.Device() // a release date that is none is no reason to refuse a controller
	n, err := s.line.number(ctx, packet.OpCountCards)
	if err != nil {
		return err
	}
	if n > maxSlots {
		return fmt.Errorf("%w: it counts %d cards, more than any controller holds", driver.ErrIncomplete, n)
	}
	serial := strconv.FormatUint(uint64(s.serial), 10)
	s.info = driver.Info{Model: "UT0311-L0" + serial[:1], Serial: serial, Firmware: dev.Firmware(), Users: int(n)}
	return nil
}

// Info tells what the controller said when the session was opened.
func (s *session) Info() driver.Info { return s.info }

// Close ends the session, and what is under way in it at once.
func (s *session) Close() error {
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	s.end(driver.ErrClosed)
	s.wg.Wait()
	return nil
}

// begin starts an operation: a context that ends with the session as well.
func (s *session) begin(ctx context.Context) (context.Context, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil, nil, driver.ErrClosed
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	s.wg.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.life, func() { cancel(driver.ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
		s.wg.Done()
	}, nil
}
