package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
)

// checkPages walks the pages of a bbolt file as it lies on disk and reports the
// first that makes no sense: one that is cut off, is not what its parent says,
// has elements outside of itself or keys out of order, or has two parents. What
// the keys lead to is not looked at.
func checkPages(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = (&pageWalk{f: f}).walk()
	return errors.Join(err, f.Close())
}

// The layout of a bbolt file, version 2, in the machine's byte order.
const (
	pageHeader     = 16 // id u64, flags u16, count u16, overflow u32
	pageElement    = 16 // branch: pos u32, key u32, page u64; leaf: flags, pos, key, value u32
	flagBranch     = 0x01
	flagLeaf       = 0x02
	flagBucket     = 0x01 // of a leaf's element: its value is a bucket
	bucketHeader   = 16   // root u64, sequence u64; a root of 0 has its page behind it
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	metaSize       = 64
	maxDepth       = 64
	smallestPage   = 1024
	pageSizesTried = 15
)

type pageWalk struct {
	f        *os.File
	pageSize uint64
	pages    uint64 // in use
	seen     []bool
	buf      []byte
}

func (w *pageWalk) walk() error {
	root, err := w.readMeta()
	if err != nil {
		return err
	}
	info, err := w.f.Stat()
	if err != nil {
		return err
	}
	if size := uint64(info.Size()); size/w.pageSize < w.pages {
		return fmt.Errorf("the file is cut off: it has %d bytes and should have %d", size, w.pages*w.pageSize)
	}
	w.seen = make([]bool, w.pages)
	_, err = w.page(root, 0, span{})
	return err
}

// readMeta finds the newer of the two valid meta pages. Either may have been cut
// off by a crash while it was written.
func (w *pageWalk) readMeta() (root uint64, err error) {
	type meta struct{ pageSize, root, pages, txid uint64 }
	var best *meta
	look := func(at int64) {
		b := make([]byte, pageHeader+metaSize)
		if _, err := w.f.ReadAt(b, at); err != nil {
			return
		}
		m, ne := b[pageHeader:], binary.NativeEndian
		sum := fnv.New64a()
		_, _ = sum.Write(m[:metaSize-8])
		if ne.Uint32(m) != boltMagic || ne.Uint32(m[4:]) != boltVersion || ne.Uint64(m[metaSize-8:]) != sum.Sum64() {
			return
		}
		got := &meta{pageSize: uint64(ne.Uint32(m[8:])), root: ne.Uint64(m[16:]), pages: ne.Uint64(m[40:]), txid: ne.Uint64(m[48:])}
		if best == nil || got.txid > best.txid {
			best = got
		}
	}
	look(0)
	if best != nil {
		look(int64(best.pageSize))
	}
	for i := 0; best == nil && i < pageSizesTried; i++ {
		look(smallestPage << i)
	}
	if best == nil || best.pageSize < smallestPage || best.pages > 1<<40 {
		return 0, errors.New("no valid beginning: it is no database, or its first pages were overwritten")
	}
	w.pageSize, w.pages = best.pageSize, best.pages
	return best.root, nil
}

// page checks a page and all below it, and returns the last key there. Its keys
// must lie within the span that its parent gives.
func (w *pageWalk) page(id uint64, depth int, within span) (last []byte, err error) {
	b, where, err := w.wholePage(id, depth)
	if err != nil {
		return nil, err
	}
	children, last, err := elements(b, where, within)
	if err != nil {
		return nil, err
	}
	for i, c := range children {
		if c.bucket {
			if _, err := w.page(c.page, depth+1, span{}); err != nil {
				return nil, err
			}
			continue
		}
		if last != nil && bytes.Compare(c.key, last) <= 0 {
			return nil, fmt.Errorf("%s has keys out of order", where)
		}
		below := span{c.key, within.before}
		if i+1 < len(children) {
			below.before = children[i+1].key
		}
		if last, err = w.page(c.page, depth+1, below); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// wholePage reads a page that nobody has claimed yet, with what overflows.
func (w *pageWalk) wholePage(id uint64, depth int) (b []byte, where string, err error) {
	if id < 2 || id >= w.pages || w.seen[id] || depth > maxDepth {
		return nil, "", fmt.Errorf("page %d is outside of the file or has two parents", id)
	}
	if b, err = w.readPage(id, w.pageSize); err != nil {
		return nil, "", err
	}
	ne := binary.NativeEndian
	flags, overflow := ne.Uint16(b[8:]), uint64(ne.Uint32(b[12:]))
	if ne.Uint64(b) != id || flags != flagBranch && flags != flagLeaf || overflow >= w.pages-id {
		return nil, "", fmt.Errorf("page %d is not what it should be", id)
	}
	for i := range overflow + 1 {
		if w.seen[id+i] {
			return nil, "", fmt.Errorf("page %d has two parents", id+i)
		}
		w.seen[id+i] = true
	}
	if overflow > 0 {
		b, err = w.readPage(id, (overflow+1)*w.pageSize)
	}
	return b, fmt.Sprintf("page %d", id), err
}

// readPage reads into memory that the next page will use again.
func (w *pageWalk) readPage(id, size uint64) ([]byte, error) {
	if uint64(cap(w.buf)) < size {
		w.buf = make([]byte, size)
	}
	b := w.buf[:size]
	if _, err := w.f.ReadAt(b, int64(id*w.pageSize)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return b, nil
}

// span is where keys may lie: from the first on, before the other; nil is no
// limit.
type span struct{ from, before []byte }

// child is a page below another: of the same tree, from its key on, or the root
// of a bucket.
type child struct {
	page   uint64
	key    []byte
	bucket bool
}

// elements checks the elements of a page. It returns the pages below it and, of
// a leaf, the last key; keys are copies.
func elements(b []byte, where string, within span) (children []child, last []byte, err error) {
	ne, size := binary.NativeEndian, uint64(len(b))
	leaf, count := ne.Uint16(b[8:]) == flagLeaf, uint64(ne.Uint16(b[10:]))
	if pageHeader+count*pageElement > size || !leaf && count == 0 {
		return nil, nil, fmt.Errorf("%s has %d elements", where, count)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		key, value, ok := element(b, at, leaf)
		if !ok {
			return nil, nil, fmt.Errorf("element %d of %s is outside of it", i, where)
		}
		if !within.holds(key) || i > 0 && bytes.Compare(key, last) <= 0 {
			return nil, nil, fmt.Errorf("element %d of %s has a key out of order", i, where)
		}
		last = key
		switch {
		case !leaf:
			children = append(children, child{page: ne.Uint64(b[at+8:]), key: bytes.Clone(key)})
		case ne.Uint32(b[at:])&flagBucket != 0:
			below, err := bucketRoot(value, where)
			if err != nil {
				return nil, nil, err
			}
			children = append(children, below...)
		}
	}
	if !leaf {
		return children, nil, nil // the last key is further below
	}
	return children, bytes.Clone(last), nil
}

// element takes one element's key and, of a leaf, its value out of a page.
func element(b []byte, at uint64, leaf bool) (key, value []byte, ok bool) {
	ne, size, e := binary.NativeEndian, uint64(len(b)), b[at:]
	if !leaf {
		start := at + uint64(ne.Uint32(e))
		end := start + uint64(ne.Uint32(e[4:]))
		if end > size {
			return nil, nil, false
		}
		return b[start:end], nil, true
	}
	start := at + uint64(ne.Uint32(e[4:]))
	middle := start + uint64(ne.Uint32(e[8:]))
	end := middle + uint64(ne.Uint32(e[12:]))
	if end > size {
		return nil, nil, false
	}
	return b[start:middle], b[middle:end], true
}

func (s span) holds(key []byte) bool {
	return (s.from == nil || bytes.Compare(s.from, key) <= 0) && (s.before == nil || bytes.Compare(key, s.before) < 0)
}

// bucketRoot returns the root page of a bucket in a leaf; a small bucket has its
// only page right there.
func bucketRoot(v []byte, where string) ([]child, error) {
	if len(v) < bucketHeader {
		return nil, fmt.Errorf("%s has a bucket that is cut off", where)
	}
	if root := binary.NativeEndian.Uint64(v); root != 0 {
		return []child{{page: root, bucket: true}}, nil
	}
	page := v[bucketHeader:]
	if len(page) < pageHeader || binary.NativeEndian.Uint16(page[8:]) != flagLeaf {
		return nil, fmt.Errorf("%s has a bucket that makes no sense", where)
	}
	children, _, err := elements(page, "a bucket in "+where, span{})
	return children, err
}
