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
	var answer, data frame.Frame
	err = s.link.exchange(ctx, frame.CmdOpenRead, t.Request(), true, func(f frame.Frame) (bool, error) {
		switch f.Cmd {
		case frame.CmdPrepareData: // some firmware announces even what it gives at once
			return false, nil
		case frame.CmdData:
			data = f
		}
		answer = f
		return true, nil
	})
	switch {
	case err != nil:
		return 0, nil, err
	case data.Cmd == frame.CmdData:
		return len(data.Data), data.Data, nil
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
		chunk, err := s.readData(ctx, frame.CmdReadChunk, frame.Chunk(len(b), n))
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

// readData sends a request that is answered with an announcement, packets of
// data and an end, and returns the data. Over UDP, where a packet may be lost,
// what came short is asked for again.
func (s *session) readData(ctx context.Context, cmd frame.Cmd, request []byte) ([]byte, error) {
	var c collector
	c.lossy = s.link.udp
	err := s.link.exchange(ctx, cmd, request, true, c.take)
	return c.data, err
}

// collector puts the packets of one answer together.
type collector struct {
	announced int
	data      []byte
	lossy     bool
}

func (c *collector) take(f frame.Frame) (bool, error) {
	switch f.Cmd {
	case frame.CmdPrepareData:
		n, err := frame.ParseSize(f.Data)
		c.announced, c.data = n, nil
		return false, err
	case frame.CmdData:
		c.data = append(c.data, f.Data...)
		return false, nil
	case frame.AckOK:
		if len(c.data) == c.announced {
			return true, nil
		}
		if c.lossy {
			c.announced, c.data = 0, nil
			return false, nil
		}
		return false, fmt.Errorf("%d bytes of %d: %w", len(c.data), c.announced, errShort)
	default:
		return false, fmt.Errorf("the terminal answered %s: %w", f.Cmd, refusal(f.Cmd))
	}
}
