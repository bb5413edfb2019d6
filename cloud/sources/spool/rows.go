package spool

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/protocol"
)

// every is how many rows lie between two whose place is kept in memory.
const every = 64

// Rows keeps what the rows of a file say, in their order. Rows are numbered from
// 0. It takes 8 bytes of memory for 64 rows. After Done several may read.
type Rows struct {
	file   *os.File
	out    *bufio.Writer
	size   int64
	places []int64 // of every 64th row
	n      int
	names  names
	buf    []byte
}

// NewRows makes a spool whose file is in dir.
func NewRows(dir string) (*Rows, error) {
	file, err := os.CreateTemp(dir, "rows-*")
	if err != nil {
		return nil, fmt.Errorf("keep rows: %w", err)
	}
	return &Rows{file: file, out: bufio.NewWriterSize(file, 256<<10), names: names{of: map[string]uint64{}}}, nil
}

// Len is how many rows there are.
func (s *Rows) Len() int { return s.n }

// Add keeps a row and returns its number.
func (s *Rows) Add(row *csvfile.Row, id roster.Identity, digest uint64) (int, error) {
	s.buf = binary.LittleEndian.AppendUint64(append(s.buf[:0], id[:]...), digest)
	s.buf = s.names.encode(s.buf, row)
	if s.n%every == 0 {
		s.places = append(s.places, s.size)
	}
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(s.buf)))
	if _, err := s.out.Write(head[:n]); err != nil {
		return 0, fmt.Errorf("keep rows: %w", err)
	}
	if _, err := s.out.Write(s.buf); err != nil {
		return 0, fmt.Errorf("keep rows: %w", err)
	}
	s.size += int64(n + len(s.buf))
	s.n++
	return s.n - 1, nil
}

// Done ends adding.
func (s *Rows) Done() error {
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("keep rows: %w", err)
	}
	s.out, s.buf = nil, nil
	return nil
}

// Close removes the file.
func (s *Rows) Close() error { return remove(s.file) }

// At reads one row.
func (s *Rows) At(row int) (roster.Word, error) {
	scan := s.scan(row/every*every, 8<<10)
	for scan.Next() {
		if scan.row == row {
			return scan.Word()
		}
	}
	if scan.err == nil {
		return roster.Word{}, fmt.Errorf("read kept rows: no row %d", row)
	}
	return roster.Word{}, scan.err
}

// Scan reads all rows in order.
func (s *Rows) Scan() *Scan { return s.scan(0, 256<<10) }

func (s *Rows) scan(row, buffer int) *Scan {
	out := &Scan{rows: s, row: row - 1}
	if row < s.n {
		from := s.places[row/every]
		out.in = bufio.NewReaderSize(io.NewSectionReader(s.file, from, s.size-from), buffer)
	}
	return out
}

// Scan reads rows in order. What is not asked for is not decoded.
type Scan struct {
	rows *Rows
	in   *bufio.Reader
	row  int
	left int // bytes of the row that were not read
	buf  []byte
	err  error
}

// Next goes to the next row and reports whether there is one.
func (s *Scan) Next() bool {
	if s.err != nil || s.row+1 >= s.rows.n {
		return false
	}
	if s.left > 0 {
		if _, s.err = s.in.Discard(s.left); s.err != nil {
			return false
		}
	}
	size, err := binary.ReadUvarint(s.in)
	if err != nil {
		s.err = fmt.Errorf("read kept rows: %w", err)
		return false
	}
	s.left = int(size)
	s.row++
	return true
}

// Row is the number of the row that Next went to.
func (s *Scan) Row() int { return s.row }

// Word decodes it.
func (s *Scan) Word() (roster.Word, error) {
	if cap(s.buf) < s.left {
		s.buf = make([]byte, s.left, 2*s.left)
	}
	s.buf = s.buf[:s.left]
	if _, err := io.ReadFull(s.in, s.buf); err != nil {
		s.err = fmt.Errorf("read kept rows: %w", err)
		return roster.Word{}, s.err
	}
	s.left = 0
	const fixed = len(roster.Identity{}) + 8
	w := s.rows.names.decode(string(s.buf[fixed:]))
	copy(w.Identity[:], s.buf)
	w.Digest = binary.LittleEndian.Uint64(s.buf[len(w.Identity):])
	return w, nil
}

// Err is why Next found no more, nil at the end.
func (s *Scan) Err() error { return s.err }

// names stand once for what the rows repeat: fields, kinds, formats.
type names struct {
	of  map[string]uint64
	all []string
}

func (n *names) id(name string) uint64 {
	if id, ok := n.of[name]; ok {
		return id
	}
	id := uint64(len(n.all))
	n.of[name], n.all = id, append(n.all, name)
	return id
}

func (n *names) encode(b []byte, row *csvfile.Row) []byte {
	b = binary.AppendUvarint(b, uint64(row.Line))
	b = appendText(appendText(b, row.SyncID), row.Language)
	b = binary.AppendUvarint(b, uint64(len(row.Values)))
	for i := range row.Values {
		v := &row.Values[i]
		b = binary.AppendUvarint(b, n.id(string(v.Field)))
		b = appendText(appendText(b, v.Value.First), v.Value.Second)
	}
	b = binary.AppendUvarint(b, uint64(len(row.Credentials)))
	for i := range row.Credentials {
		c := &row.Credentials[i]
		b = binary.AppendUvarint(b, n.id(string(c.Kind)))
		b = binary.AppendUvarint(b, n.id(c.Format))
		b = binary.AppendUvarint(b, uint64(c.Bits))
		b = appendText(b, c.Number)
	}
	b = binary.AppendUvarint(b, uint64(len(row.Groups)))
	for _, g := range row.Groups {
		b = appendText(b, g)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode reads what encode wrote; its texts are parts of b.
func (n *names) decode(b string) roster.Word {
	d := decoder{b}
	w := roster.Word{Line: int(d.number()), SyncID: d.text(), Language: d.text()}
	if count := d.number(); count > 0 {
		w.Values = make(map[protocol.Field]protocol.Value, count)
		for range count {
			f := protocol.Field(n.all[d.number()])
			w.Values[f] = protocol.Value{First: d.text(), Second: d.text()}
		}
	}
	if count := d.number(); count > 0 {
		w.Credentials = make([]protocol.Credential, count)
		for i := range w.Credentials {
			w.Credentials[i] = protocol.Credential{
				Kind: protocol.Kind(n.all[d.number()]), Format: n.all[d.number()], Bits: uint16(d.number()), Number: d.text(),
			}
		}
	}
	if count := d.number(); count > 0 {
		w.Groups = make([]string, count)
		for i := range w.Groups {
			w.Groups[i] = d.text()
		}
	}
	return w
}

// decoder reads what this process wrote a moment ago.
type decoder struct{ b string }

func (d *decoder) number() uint64 {
	var out uint64
	for i := 0; ; i++ {
		c := d.b[i]
		out |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.b = d.b[i+1:]
			return out
		}
	}
}

func (d *decoder) text() string {
	n := d.number()
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}
