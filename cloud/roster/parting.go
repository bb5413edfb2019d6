package roster

import (
	"slices"

	"doorsync/protocol"
)

// parting is what was said about one who is to be two again.
type parting struct {
	stays, goes *user                   // before they were merged
	was         []protocol.Contribution // what that came to
	now         []protocol.Contribution
}

// part tells apart what was said about each. What was said since the merge is
// about the one that stays, but for words on credentials that are the other's,
// and for groups that were taken away, which are taken from both.
func (p *parting) part() (stays, goes []protocol.Contribution) {
	for _, now := range p.now {
		s, g := contributionOf(p.stays.contributions, now.Source).Clone(), contributionOf(p.goes.contributions, now.Source).Clone()
		p.values(now, s, g)
		p.credentials(now, s, g)
		p.groups(now, s, g)
		if !s.Empty() {
			stays = append(stays, s)
		}
		if !g.Empty() {
			goes = append(goes, g)
		}
	}
	return stays, goes
}

// values adds the statements that neither had before. What the source has
// forgotten since, an import that says other values for instance, is gone from
// both.
func (p *parting) values(now, stays, goes protocol.Contribution) {
	for f, said := range now.Values {
		s, g := stays.Values[f], goes.Values[f]
		for _, st := range []protocol.Statement{said.First, said.Latest} {
			if st == (protocol.Statement{}) || slices.Contains([]protocol.Statement{s.First, s.Latest, g.First, g.Latest}, st) {
				continue
			}
			if st.Blank {
				stays.BlankOut(f, st.Stamp)
			} else {
				stays.Set(f, st.Value, st.Stamp)
			}
		}
	}
	for f := range contributionOf(p.was, now.Source).Values {
		if _, still := now.Values[f]; !still {
			delete(stays.Values, f)
			delete(goes.Values, f)
		}
	}
}

func (p *parting) credentials(now, stays, goes protocol.Contribution) {
	was := contributionOf(p.was, now.Source)
	for k, e := range now.Credentials {
		if o, ok := was.Credentials[k]; ok && o.State == e.State && o.Stamp == e.Stamp {
			continue
		}
		if _, its := p.goes.held(k); its {
			goes.Credentials[k] = e
		} else {
			stays.Credentials[k] = e
		}
	}
	for k := range was.Credentials {
		if _, still := now.Credentials[k]; !still {
			delete(stays.Credentials, k)
			delete(goes.Credentials, k)
		}
	}
}

func (p *parting) groups(now, stays, goes protocol.Contribution) {
	was := contributionOf(p.was, now.Source)
	for name, m := range now.Groups {
		if o, ok := was.Groups[name]; ok && o == m {
			continue
		}
		stays.Groups[name] = m
		if _, its := goes.Groups[name]; its && m.State != protocol.Given {
			goes.Groups[name] = m
		}
	}
	for name := range was.Groups {
		if _, still := now.Groups[name]; !still {
			delete(stays.Groups, name)
			delete(goes.Groups, name)
		}
	}
}
