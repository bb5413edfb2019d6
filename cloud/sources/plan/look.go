package plan

import (
	"doorsync/cloud/roster"
	"doorsync/cloud/sources/spool"
)

// look finds users who may have the keys of new rows, by hash: row, place of the
// key, hash, GUID (2 words). Few values are looked up one by one, for many it goes
// through all keys of the roster once.
func (p *Plan) look(keys, matches *spool.Sorter) error {
	seeker := &seeker{p: p, keys: keys.Cursor(), matches: matches}
	if keys.Len() <= p.o.Few {
		return seeker.each()
	}
	return seeker.walk()
}

// seeker goes through the keys of rows in order of hash.
type seeker struct {
	p       *Plan
	keys    *spool.Cursor
	matches *spool.Sorter
	at      uint64       // hash of group
	group   []row        // new rows that have it
	ahead   spool.Record // the first record after the group
	begun   bool
	more    bool
}

// row is a new row and the place of the key.
type row struct{ row, key uint64 }

// next loads the new rows of the next hash.
func (s *seeker) next() bool {
	if !s.begun {
		s.begun, s.more = true, s.keys.Next()
		s.ahead = *s.keys.Record()
	}
	for s.more {
		s.at, s.group = s.ahead[0], s.group[:0]
		for s.more && s.ahead[0] == s.at {
			if s.p.fresh.Has(int(s.ahead[2])) {
				s.group = append(s.group, row{s.ahead[2], s.ahead[3]})
			}
			if s.more = s.keys.Next(); s.more {
				s.ahead = *s.keys.Record()
			}
		}
		if len(s.group) > 0 {
			return true
		}
	}
	return false
}

// match adds what holders of the hash there are.
func (s *seeker) match(guids []string) error {
	if len(guids) > most {
		guids = guids[:most]
	}
	for _, guid := range guids {
		who, err := personOf(guid)
		if err != nil {
			return err
		}
		for _, r := range s.group {
			if err := s.matches.Add(spool.Record{r.row, r.key, s.at, who.hi, who.lo}); err != nil {
				return err
			}
		}
	}
	return nil
}

// each asks for every hash.
func (s *seeker) each() error {
	for s.next() {
		if err := s.p.ctx.Err(); err != nil {
			return err
		}
		guids, err := s.p.know.KeyHolders(roster.KeyHash(s.at))
		if err != nil {
			return err
		}
		if err := s.match(guids); err != nil {
			return err
		}
	}
	return s.keys.Err()
}

// walk goes through all keys of the roster beside those of the rows.
func (s *seeker) walk() error {
	if !s.next() {
		return s.keys.Err()
	}
	var failed error
	var holders []string
	n, going := 0, true
	advance := func() {
		failed = s.match(holders)
		holders, going = holders[:0], s.next()
	}
	err := s.p.know.Keys(roster.KeyHash(s.at), func(r roster.KeyRow) bool {
		if n++; n%4096 == 0 && failed == nil {
			failed = s.p.ctx.Err()
		}
		for going && failed == nil && uint64(r.Key) > s.at {
			advance()
		}
		if uint64(r.Key) == s.at && len(holders) < most {
			holders = append(holders, r.GUID)
		}
		return going && failed == nil
	})
	if going && failed == nil {
		failed = s.match(holders)
	}
	return orElse(failed, orElse(err, s.keys.Err()))
}

// verify holds matches against the values themselves, and ties new rows to the
// users who have them.
func (p *Plan) verify(matches *spool.Sorter) error {
	if matches.Len() == 0 {
		return nil
	}
	c, scan := matches.Cursor(), p.file.Rows.Scan()
	var w roster.Word
	for c.Next() {
		m := c.Record()
		for scan.Row() < int(m[0]) {
			if !scan.Next() {
				return scan.Err()
			}
			if scan.Row() < int(m[0]) {
				continue
			}
			var err error
			if w, err = scan.Word(); err != nil {
				return err
			}
		}
		if err := p.check(m, &w); err != nil {
			return err
		}
	}
	return c.Err()
}

// check ties a row to a user if the user has the row's value.
func (p *Plan) check(m *spool.Record, w *roster.Word) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	k := p.o.Keys[m[1]]
	for _, value := range w.KeyValues(k) {
		if uint64(k.Hash(value)) != m[2] {
			continue
		}
		found, ok, err := p.know.Candidate(person{m[3], m[4]}.GUID(), k, value)
		if err != nil || !ok {
			return err
		}
		who, err := personOf(found.GUID)
		if err != nil {
			return err
		}
		if p.named.has(who) {
			p.wanted.put(who)
			p.again = true
		}
		own := uint64(0)
		if found.Own {
			own = 1
		}
		return p.ties.Add(tie(who, tieCandidate, m[0], m[1]<<1|own))
	}
	return nil
}
