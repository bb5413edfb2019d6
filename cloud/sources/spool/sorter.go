package spool

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Words is how many words a Record has.
const Words = 6

// Record is what is sorted: by its words, the first one counting most.
type Record [Words]uint64

const recordSize = 8 * Words

// Compare orders records.
func (r *Record) Compare(o *Record) int {
	for i := range r {
		if r[i] != o[i] {
			if r[i] < o[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// DefaultChunk is how many records are sorted at once in memory, 6 MiB of them.
// Two such pieces are in memory while records are added.
const DefaultChunk = 128 << 10

// Sorter sorts any number of records in bounded memory: pieces are sorted and
// written by a goroutine of its own while the next ones are collected, and merged
// when they are read. It is for one goroutine; after Sort several may read.
type Sorter struct {
	dir    string
	chunk  int
	buf    []Record // being collected; all there is, if nothing was written
	full   chan []Record
	free   chan []Record
	work   errgroup.Group
	broken chan struct{} // closed when writing has failed
	file   *os.File
	runs   []span
	n      int
}

// span is a sorted piece in the file.
type span struct{ from, n int64 }

// NewSorter makes a sorter whose files are in dir. chunk is how many records are
// sorted in memory; DefaultChunk if 0.
func NewSorter(dir string, chunk int) *Sorter {
	if chunk <= 0 {
		chunk = DefaultChunk
	}
	return &Sorter{dir: dir, chunk: chunk}
}

// Len is how many records there are.
func (s *Sorter) Len() int { return s.n }

// Add takes a record.
func (s *Sorter) Add(r Record) error {
	if len(s.buf) == s.chunk {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.buf = append(s.buf, r)
	s.n++
	return nil
}

// spill hands the piece that is full to the goroutine that sorts and writes.
func (s *Sorter) spill() error {
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "sort-*")
		if err != nil {
			return fmt.Errorf("sort: %w", err)
		}
		s.file, s.full, s.free = file, make(chan []Record), make(chan []Record, 1)
		s.broken = make(chan struct{})
		s.free <- make([]Record, 0, s.chunk)
		s.work.Go(s.write)
	}
	select {
	case s.full <- s.buf:
		s.buf = <-s.free
		return nil
	case <-s.broken:
		return s.finish()
	}
}

// write sorts and writes pieces until there are no more.
func (s *Sorter) write() (err error) {
	defer func() {
		if err != nil {
			close(s.broken)
		}
	}()
	var out []byte
	var at int64
	for piece := range s.full {
		sortRecords(piece)
		from := at
		for part := range slices.Chunk(piece, 4096) {
			out = out[:0]
			for i := range part {
				for _, w := range part[i] {
					out = binary.LittleEndian.AppendUint64(out, w)
				}
			}
			if _, err := s.file.WriteAt(out, at); err != nil {
				return fmt.Errorf("sort: %w", err)
			}
			at += int64(len(out))
		}
		s.runs = append(s.runs, span{from, int64(len(piece))})
		s.free <- piece[:0]
	}
	return nil
}

func sortRecords(piece []Record) {
	slices.SortFunc(piece, func(a, b Record) int { return a.Compare(&b) })
}

// Sort ends adding. Whoever was adding may then read.
func (s *Sorter) Sort() error {
	if s.file == nil {
		sortRecords(s.buf)
		return nil
	}
	if len(s.buf) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.buf = nil
	return s.finish()
}

// finish waits for the goroutine that writes.
func (s *Sorter) finish() error {
	if s.full != nil {
		close(s.full)
		s.full = nil
	}
	err := s.work.Wait()
	s.free = nil
	return err
}

// Close waits for what was begun and removes the file.
func (s *Sorter) Close() error {
	s.buf = nil
	if s.file == nil {
		return nil
	}
	_ = s.finish() // told to whoever added or sorted
	file := s.file
	s.file = nil
	return remove(file)
}

// remove closes a file that nobody needs any more.
func remove(file *os.File) error {
	err := file.Close()
	if gone := os.Remove(file.Name()); err == nil {
		err = gone
	}
	return err
}
