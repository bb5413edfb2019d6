package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote/packet"
)

// controller is a simulated UHPPOTE controller. Its table knows cards, not
// people: the user ID of a row is its card number.
type controller struct{ *uhpposim.Controller }

func newController(text, stateDir string) (*reader, error) {
	s := parseSpec("controller", text)
	name := s.name()
	o := uhpposim.Options{
		Serial: uint32(s.number("serial", 32)), Capacity: int(s.number("capacity", 31)),
		StateFile: s.state(stateDir, name), Latency: s.duration("latency"),
	}
	r := &reader{name: name, kind: "uhppote", listen: s.text("listen", "127.0.0.1:60000")}
	if err := s.done("name", "listen", "serial", "capacity", "state", "latency"); err != nil {
		return nil, err
	}
	sim, err := uhpposim.New(o)
	if err != nil {
		return nil, fmt.Errorf("controller %s: %w", name, err)
	}
	c := controller{sim}
	r.device, r.hands = c, c
	return r, nil
}

func (c controller) people() []person {
	out := []person{}
	for _, card := range c.Cards() {
		p := person{
			ID: strconv.FormatUint(uint64(card.Number), 10), Card: card.Number, HasPIN: card.PIN != 0,
			From: day(card.From), To: day(card.To),
		}
		for i, permission := range card.Doors {
			if permission != 0 {
				p.Doors = append(p.Doors, i+1)
			}
		}
		out = append(out, p)
	}
	return out
}

func (c controller) find(id string) (packet.Card, error) {
	for _, card := range c.Cards() {
		if strconv.FormatUint(uint64(card.Number), 10) == id {
			return card, nil
		}
	}
	return packet.Card{}, notFound(fmt.Errorf("card %s: %w", id, uhpposim.ErrNoCard))
}

func (c controller) enroll(p person) error {
	if p.Card == 0 || p.Name != "" || len(p.Fingers) > 0 || p.Disabled || (p.ID != "" && p.ID != strconv.FormatUint(uint64(p.Card), 10)) {
		return errors.New("a controller holds cards alone: give --card, and --door, --pin, --from, --to if you like")
	}
	if len(p.Doors) == 0 {
		p.Doors = []int{1}
	}
	card := packet.Card{Number: p.Card}
	if p.From == "" {
		p.From = "2000-01-01"
	}
	if p.To == "" {
		p.To = "2099-12-31"
	}
	if err := (change{PIN: &p.PIN, Doors: p.Doors, From: &p.From, To: &p.To}).applyCard(&card); err != nil {
		return err
	}
	return c.PutCard(card)
}

func (c controller) edit(id string, ch change) error {
	card, err := c.find(id)
	if err != nil {
		return err
	}
	if ch.Name != nil || ch.Card != nil || ch.Disabled != nil || len(ch.AddFingers)+len(ch.RemoveFingers) > 0 {
		return errors.New("a controller holds cards alone: --door, --pin, --from and --to can be changed")
	}
	if err := ch.applyCard(&card); err != nil {
		return err
	}
	return c.PutCard(card)
}

func (c change) applyCard(card *packet.Card) error {
	if c.PIN != nil {
		pin, err := strconv.ParseUint("0"+*c.PIN, 10, 32)
		if err != nil || pin > 999999 {
			return errors.New("a controller takes PINs of up to 6 digits")
		}
		card.PIN = uint32(pin)
	}
	if c.Doors != nil {
		card.Doors = [4]uint8{}
		for _, d := range c.Doors {
			if d < 1 || d > 4 {
				return fmt.Errorf("door %d: a controller has doors 1 to 4", d)
			}
			card.Doors[d-1] = 1
		}
	}
	for _, date := range []struct {
		text *string
		into *packet.Date
	}{{c.From, &card.From}, {c.To, &card.To}} {
		if date.text == nil {
			continue
		}
		t, err := time.Parse(time.DateOnly, *date.text)
		if err != nil {
			return fmt.Errorf("date %q: write 2026-12-31", *date.text)
		}
		*date.into = packet.DateOf(t)
	}
	return nil
}

func (c controller) remove(id string) error {
	card, err := c.find(id)
	if err != nil {
		return err
	}
	return c.DeleteCard(card.Number)
}

// present swipes a card at the first door; one that the controller does not
// know is an event of its own.
func (c controller) present(id string) error {
	number, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return fmt.Errorf("card %q: write the number", id)
	}
	_, err = c.Swipe(uint32(number), 1, 0)
	return err
}

func (c controller) setFault(name string) error {
	f, ok := map[string]uhpposim.Fault{"none": {}, "silent": {Silent: true}, "fewer": {Missing: 1}}[name]
	if !ok {
		return fmt.Errorf("fault %q: a controller knows none, fewer, silent", name)
	}
	c.SetFault(f)
	return nil
}

func day(d packet.Date) string {
	if d == 0 {
		return ""
	}
	return d.Time(0, 0, 0, time.UTC).Format(time.DateOnly)
}
