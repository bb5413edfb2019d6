package spool

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// mergeMemory is what all buffers of a merge take together.
const mergeMemory = 8 << 20

// Cursor reads sorted records in order.
type Cursor struct {
	mem   []Record // records that never left memory
	heap  []*reader
	at    Record
	err   error
	begun bool
}

// Cursor begins at the first record. A sorter may have several cursors.
func (s *Sorter) Cursor() *Cursor {
	if s.file == nil {
		return &Cursor{mem: s.buf}
	}
	c := &Cursor{}
	size := min(max(mergeMemory/len(s.runs)/recordSize, 64), 8192) * recordSize
	for _, r := range s.runs {
		in := &reader{file: s.file, at: r.from, left: r.n, buf: make([]byte, 0, size)}
		if !in.next() {
			c.err = in.err
			return c
		}
		c.heap = append(c.heap, in)
	}
	for i := len(c.heap)/2 - 1; i >= 0; i-- {
		c.down(i)
	}
	return c
}

// Next goes to the next record and reports whether there is one.
func (c *Cursor) Next() bool {
	if c.heap == nil {
		if len(c.mem) == 0 {
			return false
		}
		c.at, c.mem = c.mem[0], c.mem[1:]
		return true
	}
	if c.begun && c.err == nil && len(c.heap) > 0 {
		c.advance()
	}
	c.begun = true
	if c.err != nil || len(c.heap) == 0 {
		return false
	}
	c.at = c.heap[0].record
	return true
}

// advance moves the run that was read last.
func (c *Cursor) advance() {
	first := c.heap[0]
	if !first.next() {
		c.err = first.err
		last := len(c.heap) - 1
		c.heap[0] = c.heap[last]
		c.heap = c.heap[:last]
	}
	c.down(0)
}

func (c *Cursor) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(c.heap) {
			return
		}
		if right := least + 1; right < len(c.heap) && c.heap[right].record.Compare(&c.heap[least].record) < 0 {
			least = right
		}
		if c.heap[i].record.Compare(&c.heap[least].record) <= 0 {
			return
		}
		c.heap[i], c.heap[least] = c.heap[least], c.heap[i]
		i = least
	}
}

// Record is the one that Next went to.
func (c *Cursor) Record() *Record { return &c.at }

// Err is why Next found no more, nil at the end.
func (c *Cursor) Err() error { return c.err }

// reader reads one sorted piece.
type reader struct {
	file   *os.File
	at     int64 // where the file is read next
	left   int64 // records not yet handed out
	buf    []byte
	used   int
	record Record
	err    error
}

func (r *reader) next() bool {
	if r.left == 0 {
		return false
	}
	if r.used == len(r.buf) {
		n := min(int64(cap(r.buf)), r.left*recordSize)
		r.buf, r.used = r.buf[:n], 0
		if _, err := io.ReadFull(io.NewSectionReader(r.file, r.at, n), r.buf); err != nil {
			r.err = fmt.Errorf("read sorted records: %w", err)
			return false
		}
		r.at += n
	}
	for i := range r.record {
		r.record[i] = binary.LittleEndian.Uint64(r.buf[r.used+8*i:])
	}
	r.used += recordSize
	r.left--
	return true
}
