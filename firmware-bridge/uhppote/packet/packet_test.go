package packet_test

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorsync/firmware-bridge/uhppote/packet"
)

const serial = 405419896

// wire reads a packet as it was seen on the wire; what is left out is zero.
func wire(t *testing.T, s string) packet.Packet {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	p, err := packet.Parse(append(b, make([]byte, packet.Size-len(b))...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTraces holds the codec to packets exchanged by independent programs.
func TestTraces(t *testing.T) {
	card := packet.Card{Number: 8165538, From: 20230101, To: 20291231, Doors: [4]uint8{1, 0, 29, 0}, PIN: 7531}
	for name, c := range map[string]struct {
		seen string
		ours packet.Packet
	}{
		"put_card":    {"1750000078372a18 a2987c00 20230101 20291231 01001d00 6b1d00", packet.New(packet.OpPutCard, serial).WithCard(card)},
		"put_answer":  {"1750000078372a18 01", packet.New(packet.OpPutCard, serial).WithBool(true)},
		"get_answer":  {"175a000078372a18 a2987c00 20230101 20291231 01001d00 6b1d00", packet.New(packet.OpGetCard, serial).WithCard(card)},
		"count":       {"1758000078372a18 01", packet.New(packet.OpCountCards, serial).WithUint32(1)},
		"deleted":     {"175c000078372a18 ffffffff", packet.New(packet.OpCardAt, serial).WithCard(packet.Card{Number: packet.DeletedCard})},
		"last_event":  {"17b0000078372a18 ffffffff", packet.New(packet.OpGetEvent, serial).WithUint32(packet.LastEvent)},
		"delete_all":  {"1754000078372a18 55aaaa55", packet.New(packet.OpDeleteCards, serial).WithMagic(8)},
		"event_index": {"17b2000078372a18 07000000 55aaaa55", packet.New(packet.OpSetEventIndex, serial).WithUint32(7).WithMagic(12)},
		"device": {
			"1794000078372a18 7f000001 ffffff00 7f000001 001223344556 0892 20181105",
			packet.New(packet.OpDevice, serial).WithDevice(packet.Device{
				IP: [4]byte{127, 0, 0, 1}, Mask: [4]byte{255, 255, 255, 0}, Gateway: [4]byte{127, 0, 0, 1},
				MAC: [6]byte{0, 0x12, 0x23, 0x34, 0x45, 0x56}, Version: 0x0892, Released: 20181105,
			}),
		},
		"listener": {
			"1790000078372a18 c0a80164 61ea",
			packet.New(packet.OpSetListener, serial).WithListener(netip.MustParseAddrPort("192.168.1.100:60001")),
		},
	} {
		if want := wire(t, c.seen); c.ours != want {
			t.Errorf("%s:\n have %x\n want %x", name, c.ours, want)
		}
	}
}

func TestReadTraces(t *testing.T) {
	card, err := wire(t, "175a000078372a18 a2987c00 20230101 20291231 01001d00 6b1d00").Card()
	want := packet.Card{Number: 8165538, From: 20230101, To: 20291231, Doors: [4]uint8{1, 0, 29, 0}, PIN: 7531}
	if err != nil || card != want {
		t.Errorf("card %v, %v", card, err)
	}
	dev, err := wire(t, "1794000078372a18 7f000001 ffffff00 7f000001 001223344556 0892 20181105").Device()
	if err != nil || dev.Firmware() != "8.92 (2018-11-05)" {
		t.Errorf("device %s, %v", dev.Firmware(), err)
	}
	live := wire(t, "1720000078372a18 01000000 02 01 01 01 a2987c00 20261122011801 01")
	e := live.Event(time.UTC)
	if e != (packet.Event{
		Index: 1, Type: packet.EventDoor, Granted: true, Door: 1, Direction: 1, Card: 8165538,
		At: time.Date(2026, 11, 22, 1, 18, 1, 0, time.UTC), Reason: packet.ReasonSwipe,
	}) {
		t.Errorf("live event %+v", e)
	}
	if got := packet.New(packet.OpStatus, serial).WithEvent(e); got != live {
		t.Errorf("written again:\n have %x\n want %x", got, live)
	}
}

func TestParseRefuses(t *testing.T) {
	good := packet.New(packet.OpGetTime, serial)
	odd := good
	odd[0] = 0x19
	for name, b := range map[string][]byte{
		"nothing": nil, "short": good[:63], "long": append(good[:], 0), "v6.62 start elsewhere": odd[:], "zeros": make([]byte, 64),
	} {
		if _, err := packet.Parse(b); !errors.Is(err, packet.ErrMalformed) {
			t.Errorf("%s: %v; want ErrMalformed", name, err)
		}
	}
	live := packet.New(packet.OpStatus, serial)
	live[0] = 0x19
	if _, err := packet.Parse(live[:]); err != nil {
		t.Errorf("a live event of firmware 6.62: %v", err)
	}
}

func TestDatesAndTimes(t *testing.T) {
	for seen, ok := range map[string]bool{
		"00000000": true, "20240229": true, "20230229": false, "20231301": false, "2023010a": false, "20230100": false,
	} {
		_, err := wire(t, "175a000078372a18 01000000 "+seen+" 20291231").Card()
		if (err == nil) != ok {
			t.Errorf("date %s: %v", seen, err)
		}
	}
	for seen, ok := range map[string]bool{
		"20261122235959": true, "20261122240000": false, "20261122006000": false, "00000000000000": true, "ffffffffffffff": false,
	} {
		at, err := wire(t, "1732000078372a18 "+seen).Time(time.UTC)
		if (err == nil) != ok {
			t.Errorf("time %s: %v, %v", seen, at, err)
		}
	}
}

func TestMaskedHidesPINsOnly(t *testing.T) {
	with := packet.New(packet.OpPutCard, serial).WithCard(packet.Card{Number: 7, From: 20230101, To: 20291231, PIN: 7531})
	without := packet.New(packet.OpPutCard, serial).WithCard(packet.Card{Number: 7, From: 20230101, To: 20291231, PIN: 1})
	if string(packet.Masked(with[:])) != string(packet.Masked(without[:])) {
		t.Error("a masked packet tells one PIN from another")
	}
	count := packet.New(packet.OpCountCards, serial).WithUint32(0x01020304)
	if string(packet.Masked(count[:])) != string(count[:]) {
		t.Error("a packet without a PIN was changed")
	}
	if s := (packet.Card{Number: 12345, PIN: 7531}).String(); strings.Contains(s, "7531") || strings.Contains(s, "12345") {
		t.Errorf("%s shows too much", s)
	}
}

func FuzzPacket(f *testing.F) {
	for _, op := range []packet.Op{packet.OpPutCard, packet.OpStatus, packet.OpDevice, packet.OpGetTime} {
		p := packet.New(op, serial)
		f.Add(p[:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		packet.Masked(b)
		p, err := packet.Parse(b)
		if err != nil {
			return
		}
		if c, err := p.Card(); err == nil {
			again, err := packet.New(packet.OpPutCard, serial).WithCard(c).Card()
			if err != nil || again != c {
				t.Errorf("%v became %v, %v", c, again, err)
			}
		}
		if at, err := p.Time(time.UTC); err == nil {
			again, err := packet.New(packet.OpSetTime, serial).WithTime(at).Time(time.UTC)
			if err != nil || !again.Equal(at) {
				t.Errorf("%v became %v, %v", at, again, err)
			}
		}
		e := p.Event(time.UTC)
		if again := packet.New(packet.OpStatus, serial).WithEvent(e).Event(time.UTC); again != e {
			t.Errorf("%+v became %+v", e, again)
		}
		_, _ = p.Device()
		_, _ = p.Bool()
		p.Listener()
	})
}
