package plan

import (
	"errors"

	"doorsync/cloud/sources/spool"
)

// most is how many holders of one value are looked at. Whoever has more than one
// is undecided anyhow.
const most = 20

// associate finds out which new rows are one person, and whom of the roster's.
func (p *Plan) associate() error {
	if len(p.o.Keys) == 0 || p.New == 0 {
		return nil
	}
	keys := spool.NewSorter(p.o.Dir, p.o.Chunk)
	matches := spool.NewSorter(p.o.Dir, p.o.Chunk)
	err := p.spread(keys)
	for _, step := range []func() error{
		keys.Sort,
		func() error { return p.meet(keys) },
		func() error { return p.look(keys, matches) },
		matches.Sort,
		func() error { return p.verify(matches) },
	} {
		if err == nil {
			err = step()
		}
	}
	return errors.Join(err, keys.Close(), matches.Close())
}

// spread makes a record of every key of every row that says something new: hash,
// other hash, row, place of the key.
func (p *Plan) spread(keys *spool.Sorter) error {
	scan := p.file.Rows.Scan()
	for scan.Next() {
		row := scan.Row()
		if !p.fresh.Has(row) && !p.touched.Has(row) {
			continue
		}
		w, err := scan.Word()
		if err != nil {
			return err
		}
		for i, k := range p.o.Keys {
			for _, value := range w.KeyValues(k) {
				hash := k.Hash(value)
				if hash == 0 {
					continue
				}
				if err := keys.Add(spool.Record{uint64(hash), second(k, value), uint64(row), uint64(i)}); err != nil {
					return err
				}
			}
		}
	}
	return scan.Err()
}

// meet joins rows that share a value. Rows of two people who are known are never
// joined by what they say themselves, only by a new row that is like both.
func (p *Plan) meet(keys *spool.Sorter) error {
	c := keys.Cursor()
	var at spool.Record
	fresh, known := -1, []int(nil)
	link := func(row int) error {
		p.groups.Join(fresh, row)
		return p.links.Add(spool.Record{uint64(fresh), uint64(row), at[3]})
	}
	for c.Next() {
		r := c.Record()
		if r[0] != at[0] || r[1] != at[1] || r[3] != at[3] {
			at, fresh, known = *r, -1, known[:0]
		}
		row := int(r[2])
		var err error
		switch {
		case p.touched.Has(row) && fresh >= 0:
			err = link(row)
		case p.touched.Has(row):
			if len(known) < most {
				known = append(known, row)
			}
		case fresh >= 0:
			p.groups.Join(fresh, row)
		default:
			fresh = row
			for _, k := range known {
				err = errors.Join(err, link(k))
			}
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}
