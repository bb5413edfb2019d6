package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	zksim "doorsync/firmware-bridge/sim/zk"
)

// templateLen is the length of the templates that the simulated sensor makes.
const templateLen = 384

// terminal is a simulated ZKTeco terminal.
type terminal struct {
	*zksim.Terminal
	fingers string
}

func newTerminal(text, stateDir string) (*reader, error) {
	s := parseSpec("terminal", text)
	name := s.name()
	width := map[string]int{"72byte": 72, "28byte": 28}[s.choice("users", "72byte", "72byte", "28byte")]
	o := zksim.Options{
		Width: width, Key: uint32(s.number("key", 32)), Serial: s.text("serial", "SIM-"+strings.ToUpper(name)),
		Model: s.text("model", ""), UserCapacity: int(s.number("capacity", 16)), FingerVersion: s.choice("fingers", "10", "9", "10"),
		StateFile: s.state(stateDir, name), PacketGap: s.duration("gap"),
	}
	r := &reader{name: name, kind: "zk", listen: s.text("listen", "127.0.0.1:4370")}
	if err := s.done("name", "listen", "users", "key", "serial", "model", "capacity", "fingers", "state", "gap"); err != nil {
		return nil, err
	}
	sim, err := zksim.New(o)
	if err != nil {
		return nil, fmt.Errorf("terminal %s: %w", name, err)
	}
	t := terminal{sim, o.FingerVersion}
	r.device, r.hands = t, t
	return r, nil
}

func (t terminal) people() []person {
	out := []person{}
	for _, p := range t.List() {
		out = append(out, person{
			ID: p.ID, Name: p.Name, Card: p.Card, HasPIN: p.PIN != "", Disabled: p.Disabled,
			Fingers: sorted(p.Fingers),
		})
	}
	return out
}

func sorted(fingers map[uint8][]byte) []int {
	var out []int
	for f := range fingers {
		out = append(out, int(f))
	}
	slices.Sort(out)
	return out
}

func (t terminal) enroll(p person) error {
	if p.ID == "" {
		return errors.New("a terminal enrolls people by user ID: give --id")
	}
	if len(p.Doors) > 0 || p.From != "" || p.To != "" {
		return errors.New("a terminal keeps neither doors nor dates: leave --door, --from and --to out")
	}
	fingers, err := t.templates(p.Fingers)
	if err != nil {
		return err
	}
	return t.Enroll(zksim.Person{ID: p.ID, Name: p.Name, Card: p.Card, PIN: p.PIN, Disabled: p.Disabled, Fingers: fingers})
}

// templates has the simulated sensor take fingers: every capture is another.
func (t terminal) templates(fingers []int) (map[uint8][]byte, error) {
	out := map[uint8][]byte{}
	for _, f := range fingers {
		if f < 0 || f > 9 {
			return nil, fmt.Errorf("finger %d: fingers are 0 to 9", f)
		}
		out[uint8(f)] = zksim.NewTemplate(t.fingers, uint64(time.Now().UnixNano())+uint64(f), templateLen)
	}
	return out, nil
}

func (t terminal) edit(id string, c change) error {
	if c.Doors != nil || c.From != nil || c.To != nil {
		return errors.New("a terminal keeps neither doors nor dates: leave --door, --from and --to out")
	}
	added, err := t.templates(c.AddFingers)
	if err != nil {
		return err
	}
	if err := t.Edit(id, func(p *zksim.Person) { c.apply(p) }); err != nil {
		return known(err)
	}
	for _, f := range c.RemoveFingers {
		if f < 0 || f > 9 {
			return fmt.Errorf("finger %d: fingers are 0 to 9", f)
		}
		if err := t.RemoveFinger(id, uint8(f)); err != nil {
			return known(err)
		}
	}
	for f, tpl := range added {
		if err := t.AddFinger(id, f, tpl); err != nil {
			return known(err)
		}
	}
	return nil
}

func (c change) apply(p *zksim.Person) {
	if c.Name != nil {
		p.Name = *c.Name
	}
	if c.Card != nil {
		p.Card = *c.Card
	}
	if c.PIN != nil {
		p.PIN = *c.PIN
	}
	if c.Disabled != nil {
		p.Disabled = *c.Disabled
	}
}

func (t terminal) remove(id string) error { return known(t.Delete(id)) }

func (t terminal) present(id string) error { return known(t.Present(id)) }

func (t terminal) setFault(name string) error {
	f, ok := map[string]zksim.Fault{
		"none": zksim.FaultNone, "half": zksim.FaultHalfTable, "fewer": zksim.FaultFewer, "garbage": zksim.FaultGarbage,
		"silent": zksim.FaultSilent, "refuse": zksim.FaultRefuseWrites,
	}[name]
	if !ok {
		return fmt.Errorf("fault %q: a terminal knows none, half, fewer, garbage, silent, refuse", name)
	}
	t.SetFault(f)
	return nil
}

// known marks what is not there, for the exit code.
func known(err error) error {
	if errors.Is(err, zksim.ErrNoUser) {
		return notFound(err)
	}
	return err
}
