package journal

import (
	"bytes"
	"context"
	"fmt"
)

// Users calls fn with every user in effect, those new at the site first, in
// bounded memory. fn may use the journal; a user who changes meanwhile may come
// as they were or as they are. Users deleted at the center do not come.
func (j *Journal) Users(ctx context.Context, fn func(View) error) error {
	defer j.release()
	own := map[string]struct{}{} // IDs of those new at the site
	err := j.pages(ctx, fn, j.newcomers(own))
	if err == nil {
		err = j.pages(ctx, fn, j.residents(own))
	}
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	return nil
}

// pages reads users a page at a time: while a transaction is open the file
// cannot grow, and fn may take its time.
func (j *Journal) pages(ctx context.Context, fn func(View) error, page func(*reading) ([]View, bool, error)) error {
	for n, more := 1, true; more; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n%releaseAfter == 0 {
			j.release()
		}
		var views []View
		err := j.read(func(r *reading) (err error) {
			views, more, err = page(r)
			return err
		})
		if err != nil {
			return err
		}
		for _, v := range views {
			if err := fn(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// newcomers pages through the people who were enrolled at this site and whom the
// center does not know, or knows as somebody else.
func (j *Journal) newcomers(own map[string]struct{}) func(*reading) ([]View, bool, error) {
	after := []byte{localOverlay}
	return func(r *reading) (views []View, more bool, err error) {
		c := r.bucket(inLocal).Cursor()
		for range rowsAtOnce {
			k, _ := c.Seek(after)
			id, ok := overlayID(k)
			if !ok {
				return views, false, nil
			}
			after = overlayKey(id, 1<<64-1)
			p, err := r.person(id, whole)
			if err != nil {
				return nil, false, err
			}
			if !p.known && len(p.edits) > 0 {
				own[id] = struct{}{}
				views = append(views, r.view(&p))
			}
		}
		return views, true, nil
	}
}

// residents pages through the users of the center.
func (j *Journal) residents(own map[string]struct{}) func(*reading) ([]View, bool, error) {
	var after []byte
	return func(r *reading) (views []View, more bool, err error) {
		c := r.bucket(inRecords).Cursor()
		k, v := c.Seek(after)
		if after != nil && bytes.Equal(k, after) {
			k, v = c.Next()
		}
		for range rowsAtOnce {
			if k == nil {
				return views, false, nil
			}
			after = bytes.Clone(k)
			view, ok, err := r.residentView(string(k), v, own)
			if err != nil {
				return nil, false, err
			}
			if ok {
				views = append(views, view)
			}
			k, v = c.Next()
		}
		return views, true, nil
	}
}

// residentView returns a user of the center, unless deleted or standing back behind
// somebody of this site who has the same ID.
func (r *reading) residentView(guid string, v []byte, own map[string]struct{}) (View, bool, error) {
	s, err := r.j.decodeStored(guid, v)
	if err != nil || len(s.change.IDs) == 0 {
		return View{}, false, err
	}
	rec, err := r.decodeRecord(s.change)
	if err != nil || rec.Removed {
		return View{}, false, err
	}
	if _, ok := own[s.change.IDs[0]]; ok {
		return View{}, false, nil
	}
	p, err := r.resident(&s, rec)
	if err != nil {
		return View{}, false, err
	}
	return r.view(&p), true, nil
}
