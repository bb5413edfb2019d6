package uhpposim_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote/packet"
)

func start(t *testing.T, o uhpposim.Options) *uhpposim.Controller {
	t.Helper()
	sim, err := uhpposim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("simulated controller: %v", err)
		}
	})
	return sim
}

func card(n uint32) packet.Card {
	return packet.Card{Number: n, From: 20200101, To: 20991231, Doors: [4]uint8{1, 0, 0, 0}, PIN: 1234}
}

func TestSlots(t *testing.T) {
	sim := start(t, uhpposim.Options{Capacity: 3})
	put := func(n uint32) error { return sim.PutCard(card(n)) }
	for n := range uint32(3) {
		if err := put(n + 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(4); !errors.Is(err, uhpposim.ErrFull) {
		t.Errorf("a fourth card: %v", err)
	}
	if err := put(2); err != nil {
		t.Errorf("a card again in a full controller: %v", err)
	}
	if err := sim.DeleteCard(2); err != nil {
		t.Fatal(err)
	}
	if err := sim.DeleteCard(2); !errors.Is(err, uhpposim.ErrNoCard) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := put(4); err != nil || sim.Cards()[1].Number != 4 {
		t.Errorf("a card in the place of a deleted one: %v, %v", err, sim.Cards())
	}
	if err := put(0x00FFFFFF); !errors.Is(err, uhpposim.ErrIllegal) {
		t.Errorf("an illegal number: %v", err)
	}
}

func TestSwipe(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	expired := card(2)
	expired.To = 20200102
	for _, c := range []packet.Card{card(1), expired} {
		if err := sim.PutCard(c); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		card, pin uint32
		door      uint8
		opens     bool
	}{
		"card": {1, 0, 1, true}, "card_and_pin": {1, 1234, 1, true}, "wrong_pin": {1, 99, 1, false},
		"other_door": {1, 0, 2, false}, "unknown": {3, 0, 1, false}, "expired": {2, 0, 1, false},
	} {
		if opens, err := sim.Swipe(c.card, c.door, c.pin); err != nil || opens != c.opens {
			t.Errorf("%s: %v, %v; want %v", name, opens, err, c.opens)
		}
	}
	if _, err := sim.Swipe(1, 5, 0); err == nil {
		t.Error("a fifth door")
	}
}

func TestMemoryOutlivesTheProgram(t *testing.T) {
	o := uhpposim.Options{StateFile: filepath.Join(t.TempDir(), "sub", "side.json")}
	before := start(t, o)
	for n := range uint32(3) {
		if err := before.PutCard(card(n + 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := before.DeleteCard(2); err != nil {
		t.Fatal(err)
	}
	after := start(t, o)
	if got := after.Cards(); len(got) != 2 || got[0] != card(1) || got[1] != card(3) {
		t.Errorf("after a restart: %v", got)
	}
	if err := after.PutCard(card(9)); err != nil || after.Cards()[1].Number != 9 {
		t.Errorf("the deleted slot was forgotten: %v, %v", err, after.Cards())
	}
}
