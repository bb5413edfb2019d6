package reader

import (
	"bytes"
	"slices"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// policy is what the mode and the reader's settings allow in one pass.
type policy struct {
	exchange bool // false: nothing moves, differences are only counted
	takes    bool // edits made at the reader are taken
	enrolls  bool // unknown rows are taken as enrollments
	restore  bool // users deleted at the reader are given back in this pass
	mass     bool // so many rows are missing that they are one event
	deletes  bool // a person has confirmed the deletes
	whole    bool // the whole table was read, and counted
	ordered  bool // a person waits for the reader to be in line
}

// standing is how a row differs from what it should hold, for the reader's
// state.
type standing string

const (
	agrees  standing = ""
	missing standing = "add"
	stale   standing = "update"
	surplus standing = "delete"
	heldUp  standing = "held"
	givenUp standing = "given_up"
	unknown standing = "unknown"
)

// row is all that is known of one row of a reader's table.
type row struct {
	key   string
	have  *driver.Held // what it holds, nil: it is not there
	read  *driver.Row  // as read; nil while have is only what it held when last seen
	mem   *memory      // as remembered, nil: not remembered
	want  *driver.Held // what it should hold, nil: it should not be there
	write *driver.Row  // want in full
	user  string       // the user ID it belongs to, "" if nobody knows
	known bool         // that user is in effect
	label *label       // what it shows in place of the name, nil: the name
	stays bool         // enrolled here, without an access group yet: left as it is
	// barred: nobody is known to hold it, and the office has revoked it.
	barred bool
}

// verdict is what follows.
type verdict struct {
	event  protocol.Event // to be journaled, "" for none
	edit   *protocol.Edit // taken with the event
	detail string
	mem    *memory  // to be remembered from now on, nil: nothing
	put    bool     // want must be written
	del    bool     // the row must be deleted
	open   standing // as it stands until that is done
}

// goneUp is what is given up when a delete is: there is no content to name.
var goneUp = []byte("delete")

// judge decides about one row. It is pure: content decides, nothing else.
func judge(r row, p policy) verdict {
	switch {
	case !p.exchange:
		return verdict{mem: r.mem, open: r.standing()}
	case r.have == nil:
		return judgeMissing(r, p)
	default:
		return judgePresent(r, p)
	}
}

func judgePresent(r row, p policy) verdict {
	if r.want != nil && sameHeld(*r.have, r.mem.expected(*r.want)) {
		return inSync(r)
	}
	if r.barred {
		return verdict{mem: r.seen(), open: surplus, del: true}
	}
	if r.mem == nil && !r.known && !p.enrolls {
		return verdict{open: unknown}
	}
	v := verdict{mem: r.seen()}
	if r.read != nil && !r.unchanged() {
		edit, own := editOf(*r.read, r.mem, r.want)
		if v.mem.shows(own); len(own) > 0 && r.want != nil && sameHeld(*r.have, v.mem.expected(*r.want)) {
			v.event, v.detail = protocol.EventLeftOut, "the reader shows less than was written: "+names(own)
			return v
		}
		edit.UserID = r.user
		unclear := r.label.read(&edit, r.want)
		v.take(r, edit, p)
		if unclear {
			v.unclear()
		}
	}
	if r.want != nil || !r.stays {
		v.act(r)
	}
	return v
}

// unchanged reports whether a row that the agent has never written to holds
// what it held when last seen.
func (r row) unchanged() bool {
	return r.mem != nil && r.mem.Held != nil && r.mem.Intent == nil && !r.mem.Unread && sameHeld(*r.have, *r.mem.Held)
}

// inSync settles a row that holds what it should.
func inSync(r row) verdict {
	v := verdict{mem: r.seen()}
	if r.read != nil && r.mem != nil && r.mem.Intent != nil {
		v.event = protocol.EventUpdatedCentral // written before the agent was stopped
	}
	v.mem.GaveUp = nil
	return v
}

// take adds what was edited at the reader to the verdict.
func (v *verdict) take(r row, edit protocol.Edit, p policy) {
	edited := len(edit.Values) > 0 || len(edit.Given) > 0 || len(edit.Withdrawn) > 0
	switch {
	case r.mem == nil && !r.known:
		v.event, v.edit, v.mem.Home = protocol.EventEnrolled, &edit, true
	case !edited:
	case !r.known:
		v.event, v.detail = protocol.EventTooLate, describe(edit)
	case !p.takes:
		v.event, v.detail = protocol.EventNotTaken, describe(edit)
	default:
		v.event, v.edit, v.detail = protocol.EventUpdatedReader, &edit, describe(edit)
	}
}

// unclear says that a text was edited at the reader of which the name is a part.
func (v *verdict) unclear() {
	const why = "name: this reader shows more than the name; change it at the center, or leave the rest of the text as it is"
	if v.event == "" {
		v.event = protocol.EventValueNotKept
	}
	v.detail = joinText(v.detail, why)
}

// act says what must be written to a reader whose row differs.
func (v *verdict) act(r row) {
	switch {
	case v.event == protocol.EventEnrolled:
		// What it should hold is known once that is journaled.
	case r.want == nil && v.mem.gaveUp(goneUp):
		v.open = givenUp
	case r.want == nil:
		v.open, v.del = surplus, true
	case v.mem.gaveUp(sum(*r.want)):
		v.open = givenUp
	default:
		v.open, v.put = stale, true
	}
}

func judgeMissing(r row, p policy) verdict {
	switch {
	case r.want == nil:
		return forgotten(r)
	case r.mem.gaveUp(sum(*r.want)):
		return verdict{mem: r.mem, open: givenUp}
	case r.mem == nil || r.mem.Held == nil || r.mem.Deleting:
		return verdict{mem: r.mem, open: missing, put: true}
	case r.mem.Absent || p.mass:
		m := r.mem.clone()
		m.Absent = true
		return verdict{mem: &m, open: missing, put: p.restore}
	}
	m := r.mem.clone()
	m.Absent, m.Intent = true, nil
	return verdict{mem: &m, event: protocol.EventDeletedReader, open: missing, put: p.ordered && p.restore}
}

// forgotten settles a row that is not there and should not be.
func forgotten(r row) verdict {
	if r.mem != nil && r.mem.Deleting {
		return verdict{event: protocol.EventRemovedCentral} // deleted before the agent was stopped
	}
	if r.stays && r.mem != nil && r.mem.Held != nil {
		return verdict{event: protocol.EventDeletedReader}
	}
	return verdict{}
}

// seen is what is remembered of a row that was read.
func (r row) seen() *memory {
	m := r.mem.clone()
	m.Held, m.User = r.have, r.user
	m.Waits = m.Waits && r.want == nil
	if r.read != nil {
		m.Intent, m.Deleting, m.Absent, m.Unread = nil, false, false, false
	}
	return &m
}

// standing compares without drawing any consequence.
func (r row) standing() standing {
	switch {
	case r.have == nil && r.want == nil:
		return agrees
	case r.have == nil:
		return missing
	case r.want == nil && r.stays:
		return agrees
	case r.want == nil && (r.known || r.mem != nil):
		return surplus
	case r.want == nil:
		return unknown
	case sameHeld(*r.have, r.mem.expected(*r.want)):
		return agrees
	default:
		return stale
	}
}

func (m *memory) gaveUp(what []byte) bool { return m != nil && bytes.Equal(m.GaveUp, what) }

// shows adds how the reader shows what was written.
func (m *memory) shows(own []shown) {
	if len(own) == 0 {
		return
	}
	m.Shown = slices.DeleteFunc(slices.Clone(m.Shown), func(s shown) bool {
		return slices.ContainsFunc(own, func(o shown) bool { return o.Field == s.Field })
	})
	m.Shown = append(m.Shown, own...)
}
