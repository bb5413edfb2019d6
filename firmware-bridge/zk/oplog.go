package zk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// cursor is a place in an operation log that numbers nothing: how many records
// there were, and what the first and the last of them were.
type cursor struct {
	count       uint32
	first, last [8]byte
}

const (
	cursorVersion = 1
	cursorLen     = 1 + 4 + 8 + 8
)

func cursorAt(ops []frame.Op) cursor {
	c := cursor{count: uint32(len(ops))}
	if len(ops) > 0 {
		c.first, c.last = opSum(ops[0]), opSum(ops[len(ops)-1])
	}
	return c
}

func opSum(o frame.Op) [8]byte {
	sum := sha256.Sum256(o.Append(nil))
	return [8]byte(sum[:8])
}

func (c cursor) bytes() []byte {
	b := append(make([]byte, 0, cursorLen), cursorVersion)
	b = binary.LittleEndian.AppendUint32(b, c.count)
	b = append(b, c.first[:]...)
	return append(b, c.last[:]...)
}

func parseCursor(b []byte) (cursor, bool) {
	if len(b) != cursorLen || b[0] != cursorVersion {
		return cursor{}, false
	}
	return cursor{count: binary.LittleEndian.Uint32(b[1:]), first: [8]byte(b[5:13]), last: [8]byte(b[13:])}, true
}

// tail returns the records after the cursor, or what was lost.
func (c cursor) tail(ops []frame.Op) ([]frame.Op, string) {
	n := int(c.count)
	switch {
	case n == 0:
		return ops, ""
	case uint64(c.count) > uint64(len(ops)):
		return nil, "the operation log was cleared or the terminal reset"
	case opSum(ops[0]) != c.first || opSum(ops[n-1]) != c.last:
		return nil, "the operation log was cleared or has wrapped around"
	default:
		return ops[n:], ""
	}
}

// ReadLog reads what was done at the terminal's keys. What the operations
// concern is not told apart reliably between firmwares, so every one says that
// something changed, and none says who.
func (s *session) ReadLog(ctx context.Context, at []byte) (driver.Log, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	ops, err := s.readOplog(ctx)
	if err != nil {
		return driver.Log{}, err
	}
	log := driver.Log{Cursor: cursorAt(ops).bytes()}
	if at == nil {
		return log, nil
	}
	c, ok := parseCursor(at)
	if !ok {
		log.Gap = "the place in the operation log was lost"
		return log, nil
	}
	ops, log.Gap = c.tail(ops)
	for _, o := range ops {
		if !o.Quiet() {
			log.Notices = append(log.Notices, driver.Notice{Kind: driver.NoticeChanged, At: o.At(time.Local), Detail: o.String()})
		}
	}
	return log, nil
}

func (s *session) readOplog(ctx context.Context) ([]frame.Op, error) {
	sizes, err := s.sizes(ctx)
	if err != nil {
		return nil, err
	}
	if sizes.Oplog == 0 {
		return nil, nil
	}
	body, err := s.readTable(ctx, frame.Oplog())
	if err != nil {
		return nil, readError("operation log", err)
	}
	ops, err := frame.ParseOplog(bytes.Clone(body))
	if err != nil {
		return nil, readError("operation log", err)
	}
	if len(ops) < sizes.Oplog {
		return nil, incomplete("operation log", fmt.Errorf("%d records of %d", len(ops), sizes.Oplog))
	}
	return ops, nil
}
