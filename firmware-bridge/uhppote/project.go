package uhppote

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

// undated among a row's doors marks a card whose dates are none: what the
// controller then does is not known, so the row must equal none that is wanted.
const undated = 0

// projection knows what a controller holds of a user: one row for each card.
type projection struct{ settings }

// Project returns a row for each card of the user and what was left out.
func (p projection) Project(u protocol.User) ([]driver.Row, []driver.LeftOut) {
	left := p.notHeld(u)
	common, more, err := p.common(u)
	left = append(left, more...)
	var rows []driver.Row
	for _, c := range u.OfKind(protocol.KindCard) {
		if err != nil {
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: err.Error()})
			continue
		}
		shown, err := p.numbers.shown(c)
		if err != nil {
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: err.Error()})
			continue
		}
		if c.Duress {
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: "the controller cannot tell a card used under threat"})
		}
		card := common
		card.Number = shown
		if row := p.row(card); !slices.ContainsFunc(rows, func(r driver.Row) bool { return r.Key == row.Key }) {
			rows = append(rows, row)
		}
	}
	if len(u.OfKind(protocol.KindCard)) == 0 {
		left = append(left, driver.LeftOut{Reason: "the controller holds cards, and the user has none"})
	}
	return rows, left
}

// notHeld is what no controller of this kind holds.
func (p projection) notHeld(u protocol.User) []driver.LeftOut {
	var left []driver.LeftOut
	for _, f := range []protocol.Field{protocol.FieldName, protocol.FieldFirstName, protocol.FieldLastName} {
		if !u.Value(f).IsNull() {
			left = append(left, driver.LeftOut{Field: f, Reason: "the controller holds no names"})
		}
	}
	for _, c := range u.Credentials {
		if c.Kind != protocol.KindCard {
			left = append(left, driver.LeftOut{Credential: c.Key(), Reason: "the controller holds cards only"})
		}
	}
	return left
}

// common is what all cards of a user share, or why there can be none.
func (p projection) common(u protocol.User) (packet.Card, []driver.LeftOut, error) {
	if !u.Active() {
		return packet.Card{}, nil, fmt.Errorf("the user is inactive, and the controller holds active cards only")
	}
	card := packet.Card{Doors: p.permissions(u.Groups)}
	if card.Doors == [doors]uint8{} {
		return packet.Card{}, nil, fmt.Errorf("no door of this controller opens for the user's groups")
	}
	s, err := spanOf(u.Value(protocol.FieldValidity), p.zone)
	if err != nil {
		return packet.Card{}, nil, fmt.Errorf("the validity cannot be read: %w", err)
	}
	card.From, card.To = s.from, s.to
	var left []driver.LeftOut
	if s.rounded != "" {
		left = append(left, driver.LeftOut{Field: protocol.FieldValidity, Reason: s.rounded})
	}
	var reason string
	card.PIN, reason = p.digits(u.Value(protocol.FieldPIN).First)
	if reason != "" {
		left = append(left, driver.LeftOut{Field: protocol.FieldPIN, Reason: reason})
	}
	return card, left, nil
}

func (p projection) permissions(groups []string) [doors]uint8 {
	var out [doors]uint8
	for door, open := range p.doors {
		if slices.ContainsFunc(open, func(g string) bool { return g == AnyGroup || slices.Contains(groups, g) }) {
			out[door-1] = 1
		}
	}
	return out
}

// digits is a PIN as the number that the controller holds, 0 for none, and why
// one could not be held.
func (p projection) digits(pin string) (held uint32, reason string) {
	if pin == "" {
		return 0, ""
	}
	n, err := strconv.ParseUint(pin, 10, 32)
	switch {
	case !p.pin:
		return 0, "PINs are turned off for this controller"
	case err != nil || n > packet.MaxPIN:
		return 0, "the controller holds PINs of up to six digits"
	case n == 0 || strings.HasPrefix(pin, "0"):
		return 0, "the controller holds a PIN as a number and would lose the zeros at its head"
	}
	return uint32(n), ""
}

// row is how a card of the controller's table is known to everybody.
func (p projection) row(c packet.Card) driver.Row {
	cred := p.numbers.card(c.Number)
	row := driver.Row{Key: key(cred), Doors: map[int]uint8{}}
	row.User.Credentials = []protocol.Credential{cred}
	row.User.Values = map[protocol.Field]protocol.Value{}
	for i, permission := range c.Doors {
		if permission != 0 {
			row.Doors[i+1] = permission
		}
	}
	if c.From == 0 || c.To == 0 {
		row.Doors[undated] = 1
	} else if v := (span{from: c.From, to: c.To}).value(p.zone); !v.IsNull() {
		row.User.Values[protocol.FieldValidity] = v
	}
	if c.PIN != 0 && p.pin {
		row.User.Values[protocol.FieldPIN] = protocol.Text(strconv.FormatUint(uint64(c.PIN), 10))
	}
	return row
}

// card is the card that a row amounts to: row's reverse.
func (p projection) card(r driver.Row) (packet.Card, error) {
	cred, err := keyed(r.Key)
	if err != nil {
		return packet.Card{}, err
	}
	c := packet.Card{}
	if c.Number, err = p.numbers.shown(cred); err != nil {
		return packet.Card{}, err
	}
	s, err := spanOf(r.User.Value(protocol.FieldValidity), p.zone)
	if err != nil {
		return packet.Card{}, err
	}
	c.From, c.To = s.from, s.to
	for door, permission := range r.Doors {
		if door >= 1 && door <= doors {
			c.Doors[door-1] = permission
		}
	}
	c.PIN, _ = p.digits(r.User.Value(protocol.FieldPIN).First)
	return c, nil
}
