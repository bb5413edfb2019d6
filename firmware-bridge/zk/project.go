package zk

import (
	"fmt"
	"strconv"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
	"doorsync/protocol"
)

// projection collects what a record can hold of a user.
type projection struct {
	row  driver.Row
	left []driver.LeftOut
}

func (p *projection) leave(f protocol.Field, reason string) {
	p.left = append(p.left, driver.LeftOut{Field: f, Reason: reason})
}

func (p *projection) leaveCredential(c protocol.Credential, reason string) {
	p.left = append(p.left, driver.LeftOut{Credential: c.Key(), Reason: reason})
}

// Project returns the record that holds the user in this terminal, and what it
// has no room for.
func (s *session) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	layout, err := frame.LayoutOf(s.width())
	if err != nil {
		return nil, []driver.LeftOut{{Field: protocol.FieldUserID, Reason: err.Error()}}
	}
	if reason := s.model.refusesID(u.ID, layout); reason != "" {
		return nil, []driver.LeftOut{{Field: protocol.FieldUserID, Reason: reason}}
	}
	p := projection{row: driver.Row{Key: u.ID, User: protocol.User{ID: u.ID, Values: map[protocol.Field]protocol.Value{}}}}
	p.name(s.d.charset, u.FullName(), layout.NameLen)
	p.pin(u.Value(protocol.FieldPIN).First, layout.PINLen)
	if !u.Active() {
		p.row.User.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	}
	if !u.Value(protocol.FieldValidity).IsNull() {
		p.leave(protocol.FieldValidity, "the terminal keeps no dates: the user is made inactive there outside them, by the agent")
	}
	p.cards(u)
	p.fingers(u, s.model.fingers)
	p.others(u)
	return []driver.Row{p.row}, p.left
}

// refusesID says why a terminal cannot hold a user ID, "" if it can.
func (m model) refusesID(id string, l frame.Layout) string {
	if !plausibleID(id) {
		return "the terminal takes user IDs of letters and digits only"
	}
	digits := strings.Trim(id, "0123456789") == ""
	room := l.UserIDLen
	if room == 0 {
		room = 9
	}
	if m.idWidth > 0 {
		room = min(room, m.idWidth)
	}
	switch {
	case len(id) > room:
		return fmt.Sprintf("the terminal takes user IDs of up to %d characters", room)
	case l.UserIDLen == 0 && (!digits || id[0] == '0'):
		return "the terminal takes user IDs that are numbers without leading zeros only"
	case !m.letters && !digits:
		return "the terminal takes user IDs of digits only: letters are turned off in its menu, or it has none"
	default:
		return ""
	}
}

func (p *projection) name(c charset, name string, room int) {
	f := fitName(c, name, room)
	if v := protocol.Text(f.name); !v.IsNull() {
		p.row.User.Values[protocol.FieldName] = v
	}
	if f.cut {
		p.leave(protocol.FieldName, fmt.Sprintf("cut to %d bytes", room))
	}
	if f.lost {
		p.leave(protocol.FieldName, "the terminal's code page lacks some of its characters")
	}
}

func (p *projection) pin(pin string, room int) {
	switch {
	case pin == "":
	case strings.Trim(pin, "0123456789") != "":
		p.leave(protocol.FieldPIN, "the terminal takes digits only")
	case len(pin) > room:
		p.leave(protocol.FieldPIN, fmt.Sprintf("the terminal takes up to %d digits", room))
	default:
		p.row.User.Values[protocol.FieldPIN] = protocol.Text(pin)
	}
}

// cards keeps the newest card whose number the record can hold.
func (p *projection) cards(u protocol.User) {
	held := false
	for _, c := range u.OfKind(protocol.KindCard) {
		n, err := strconv.ParseUint(c.Number, 10, 32)
		switch {
		case err != nil || n == 0:
			p.leaveCredential(c, "the number does not fit into 32 bits")
		case held:
			p.leaveCredential(c, "no room for a second card")
		default:
			held = true
			p.row.User.Credentials = append(p.row.User.Credentials, protocol.Card(n))
		}
	}
}

// fingers keeps the newest template of each finger in the terminal's format.
func (p *projection) fingers(u protocol.User, format string) {
	var taken [10]bool
	for _, c := range u.OfKind(protocol.KindFingerprint) {
		switch {
		case format == "":
			p.leaveCredential(c, "the terminal does not say which fingerprint format it takes, or fingerprints are off")
		case c.Format != format:
			p.leaveCredential(c, fmt.Sprintf("the terminal takes fingerprints of format %s", format))
		case c.Slot > 9 || len(c.Template) == 0 || len(c.Template) > frame.MaxTemplate:
			p.leaveCredential(c, "no template of a finger 0 to 9")
		case taken[c.Slot]:
			p.leaveCredential(c, "no room for a second template of this finger")
		default:
			taken[c.Slot] = true
			f := protocol.Fingerprint(c.Format, c.Slot, c.Template)
			f.Duress = c.Duress
			p.row.User.Credentials = append(p.row.User.Credentials, f)
		}
	}
}

func (p *projection) others(u protocol.User) {
	for _, c := range u.Credentials {
		if c.Kind != protocol.KindCard && c.Kind != protocol.KindFingerprint {
			p.leaveCredential(c, fmt.Sprintf("the driver cannot write %s to this terminal", c.Kind))
		}
	}
}

// record turns a projected row into a record in the slot given.
func (s *session) record(r driver.Row, l frame.Layout) frame.User {
	u := frame.User{
		UserID:   r.Key,
		Disabled: !r.User.Active(),
		PIN:      r.User.Value(protocol.FieldPIN).First,
		Name:     fitName(s.d.charset, r.User.FullName(), l.NameLen).bytes,
	}
	if cards := r.User.OfKind(protocol.KindCard); len(cards) > 0 {
		n, err := strconv.ParseUint(cards[0].Number, 10, 32)
		if err == nil {
			u.Card = uint32(n)
		}
	}
	return u
}

// templates are the fingers that a projected row has.
func templates(r driver.Row, uid uint16) map[uint8]frame.Template {
	out := map[uint8]frame.Template{}
	for _, c := range r.User.OfKind(protocol.KindFingerprint) {
		t := frame.Template{UID: uid, Finger: c.Slot, Flag: frame.FlagValid, Data: c.Template}
		if c.Duress {
			t.Flag = frame.FlagDuress
		}
		out[c.Slot] = t
	}
	return out
}
