package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
)

// checkPages walks the pages of a bbolt file as it lies on disk and reports the
// first that makes no sense: one that is cut off, is not what its parent says,
// has elements outside of itself, or has two parents. What the elements hold is
// not looked at.
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
	return w.page(root, 0)
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

func (w *pageWalk) page(id uint64, depth int) error {
	if id < 2 || id >= w.pages || w.seen[id] || depth > maxDepth {
		return fmt.Errorf("page %d is outside of the file or has two parents", id)
	}
	b, err := w.readPage(id, w.pageSize)
	if err != nil {
		return err
	}
	ne := binary.NativeEndian
	flags, overflow := ne.Uint16(b[8:]), uint64(ne.Uint32(b[12:]))
	if ne.Uint64(b) != id || flags != flagBranch && flags != flagLeaf || overflow >= w.pages-id {
		return fmt.Errorf("page %d is not what it should be", id)
	}
	for i := range overflow + 1 {
		if w.seen[id+i] {
			return fmt.Errorf("page %d has two parents", id+i)
		}
		w.seen[id+i] = true
	}
	if overflow > 0 {
		if b, err = w.readPage(id, (overflow+1)*w.pageSize); err != nil {
			return err
		}
	}
	children, err := elements(b, fmt.Sprintf("page %d", id))
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := w.page(child, depth+1); err != nil {
			return err
		}
	}
	return nil
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

// elements checks the elements of a page and returns the pages below it.
func elements(b []byte, where string) (children []uint64, err error) {
	ne, size := binary.NativeEndian, uint64(len(b))
	leaf, count := ne.Uint16(b[8:]) == flagLeaf, uint64(ne.Uint16(b[10:]))
	if pageHeader+count*pageElement > size || !leaf && count == 0 {
		return nil, fmt.Errorf("%s has %d elements", where, count)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		e := b[at:]
		if !leaf {
			if at+uint64(ne.Uint32(e))+uint64(ne.Uint32(e[4:])) > size {
				return nil, fmt.Errorf("element %d of %s is outside of it", i, where)
			}
			children = append(children, ne.Uint64(e[8:]))
			continue
		}
		start, end := at+uint64(ne.Uint32(e[4:]))+uint64(ne.Uint32(e[8:])), uint64(ne.Uint32(e[12:]))
		if end += start; end > size {
			return nil, fmt.Errorf("element %d of %s is outside of it", i, where)
		}
		if ne.Uint32(e)&flagBucket == 0 {
			continue
		}
		below, err := bucketRoot(b[start:end], where)
		if err != nil {
			return nil, err
		}
		children = append(children, below...)
	}
	return children, nil
}

// bucketRoot returns the root page of a bucket in a leaf; a small bucket has its
// only page right there.
func bucketRoot(v []byte, where string) ([]uint64, error) {
	if len(v) < bucketHeader {
		return nil, fmt.Errorf("%s has a bucket that is cut off", where)
	}
	if root := binary.NativeEndian.Uint64(v); root != 0 {
		return []uint64{root}, nil
	}
	page := v[bucketHeader:]
	if len(page) < pageHeader || binary.NativeEndian.Uint16(page[8:]) != flagLeaf {
		return nil, fmt.Errorf("%s has a bucket that makes no sense", where)
	}
	return elements(page, "a bucket in "+where)
}
