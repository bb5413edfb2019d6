package zk

import (
	"context"
	"errors"
	"fmt"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// errShort is a chunk that came shorter than announced.
var errShort = errors.New("less data came than was announced")

// incomplete marks a table that cannot be believed.
func incomplete(what string, err error) error {
	return fmt.Errorf("read %s: %w: %w", what, driver.ErrIncomplete, err)
}

// openTable asks for a table: the terminal gives a small one at once, and the
// size of a larger one.
func (s *session) openTable(ctx context.Context, t frame.Table) (size int, whole []byte, err error) {
	var answer frame.Frame
	var direct collector
	err = s.link.exchange(ctx, frame.CmdOpenRead, t.Request(), func(f frame.Frame) (bool, error) {
		if f.Cmd == frame.CmdPrepareData || direct.begun { // old firmware sends what was not asked for yet
			return direct.take(f)
		}
		answer = f
		return true, nil
	})
	switch {
	case err != nil:
		return 0, nil, err
	case direct.begun:
		return len(direct.data), direct.data, nil
	case answer.Cmd == frame.CmdData:
		return len(answer.Data), answer.Data, nil
	case answer.Cmd != frame.AckOK:
		return 0, nil, fmt.Errorf("%s: the terminal answered %s: %w", frame.CmdOpenRead, answer.Cmd, refusal(answer.Cmd))
	}
	size, err = frame.ParsePrepared(answer.Data)
	return size, nil, err
}

func (s *session) freeTable(ctx context.Context) error {
	_, err := s.link.call(ctx, frame.CmdFreeData, nil)
	return err
}

// readTable returns the records of a table, all of them or an error.
func (s *session) readTable(ctx context.Context, t frame.Table) ([]byte, error) {
	size, b, err := s.openTable(ctx, t)
	if err != nil {
		return nil, err
	}
	if b == nil {
		if b, err = s.readChunks(ctx, size); err != nil {
			return nil, err
		}
	}
	if err := s.freeTable(ctx); err != nil {
		return nil, err
	}
	return frame.Body(b)
}

func (s *session) readChunks(ctx context.Context, size int) ([]byte, error) {
	step := frame.MaxChunkTCP
	if s.link.udp {
		step = frame.MaxChunkUDP
	}
	b := make([]byte, 0, size)
	for len(b) < size {
		n := min(step, size-len(b))
		chunk, err := s.readChunk(ctx, len(b), n)
		if err != nil {
			return nil, err
		}
		if len(chunk) != n {
			return nil, errShort
		}
		b = append(b, chunk...)
	}
	return b, nil
}

// readChunk asks for one chunk, which is announced, sent and ended. Over UDP a
// chunk is one packet, so that neither a packet that comes twice nor one that
// is lost can spoil it.
func (s *session) readChunk(ctx context.Context, offset, n int) ([]byte, error) {
	c := collector{}
	take := c.take
	if s.link.udp {
		take = func(f frame.Frame) (bool, error) { return c.packet(f, n) }
	}
	err := s.link.exchange(ctx, frame.CmdReadChunk, frame.Chunk(offset, n), take)
	return c.data, err
}

// collector puts the packets of one answer together.
type collector struct {
	begun     bool
	announced int
	data      []byte
}

func (c *collector) take(f frame.Frame) (bool, error) {
	switch f.Cmd {
	case frame.CmdPrepareData:
		n, err := frame.ParseSize(f.Data)
		c.begun, c.announced, c.data = true, n, nil
		return false, err
	case frame.CmdData:
		c.data = append(c.data, f.Data...)
		return false, nil
	case frame.AckOK:
		if len(c.data) != c.announced {
			return false, fmt.Errorf("%d bytes of %d: %w", len(c.data), c.announced, errShort)
		}
		return true, nil
	default:
		return false, fmt.Errorf("the terminal answered %s: %w", f.Cmd, refusal(f.Cmd))
	}
}

// packet waits for the one packet of n bytes.
func (c *collector) packet(f frame.Frame, n int) (bool, error) {
	switch {
	case f.Cmd == frame.CmdData && len(f.Data) == n:
		c.data = f.Data
		return true, nil
	case f.Cmd == frame.CmdData:
		return false, fmt.Errorf("%d bytes of %d: %w", len(f.Data), n, errShort)
	case f.Cmd.Refusal():
		return false, fmt.Errorf("the terminal answered %s: %w", f.Cmd, refusal(f.Cmd))
	default:
		return false, nil
	}
}
