// Command uhppoteclient asks a controller through uhppote-core, a client that is
// not ours. The tests examine the simulated controller with it: a request a
// line on the standard input, an answer a line, as JSON, on the standard output.
//
//	uhppoteclient 127.0.0.1:60000 405419896 udp
//	put 8165538 2023-01-01 2029-12-31 1,0,29,0 7531
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/uhppoted/uhppote-core/types"
	"github.com/uhppoted/uhppote-core/uhppote"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answer is one line of output.
type answer struct {
	OK    any    `json:"ok,omitempty"`
	Error string `json:"error,omitempty"`
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("usage: uhppoteclient ADDRESS SERIAL udp|tcp")
	}
	c, err := connect(args[0], args[1], args[2])
	if err != nil {
		return err
	}
	lines, enc := bufio.NewScanner(in), json.NewEncoder(out)
	for lines.Scan() {
		var a answer
		got, err := c.ask(strings.Fields(lines.Text()))
		a.OK = got
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := enc.Encode(a); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
	return lines.Err()
}

type client struct {
	core   uhppote.IUHPPOTE
	serial uint32
}

func connect(address, serial, network string) (client, error) {
	at, err := types.ParseControllerAddr(address)
	if err != nil {
		return client{}, fmt.Errorf("address: %w", err)
	}
	n, err := strconv.ParseUint(serial, 10, 32)
	if err != nil {
		return client{}, fmt.Errorf("serial: %w", err)
	}
	device := uhppote.NewDevice("sim", uint32(n), at, network, nil, time.Local)
	bind := types.MustParseBindAddr("127.0.0.1:0")
	core := uhppote.NewUHPPOTE(bind, types.BroadcastAddr{}, types.ListenAddr{}, 2*time.Second, []uhppote.Device{device}, false)
	return client{core: core, serial: uint32(n)}, nil
}

func (c client) ask(words []string) (any, error) {
	if len(words) == 0 {
		return nil, errors.New("no request")
	}
	switch verb, rest := words[0], words[1:]; verb {
	case "device":
		return c.core.GetDevice(c.serial)
	case "status":
		return c.core.GetStatus(c.serial)
	case "count":
		return c.core.GetCards(c.serial)
	case "clear":
		return c.core.DeleteCards(c.serial)
	case "time":
		return c.core.GetTime(c.serial)
	case "put":
		return c.put(rest)
	case "listener":
		return c.listener(rest)
	default:
		return c.numbered(verb, rest)
	}
}

// numbered are the requests that take a number.
func (c client) numbered(verb string, words []string) (any, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("%s: give a number", verb)
	}
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil {
		return nil, err
	}
	switch verb {
	case "get":
		return c.core.GetCardByID(c.serial, uint32(n))
	case "at":
		return c.core.GetCardByIndex(c.serial, uint32(n))
	case "delete":
		return c.core.DeleteCard(c.serial, uint32(n))
	case "event":
		return c.core.GetEvent(c.serial, uint32(n))
	case "mark":
		return c.core.SetEventIndex(c.serial, uint32(n))
	case "settime":
		return c.core.SetTime(c.serial, time.Unix(int64(n), 0))
	default:
		return nil, fmt.Errorf("unknown request %q", verb)
	}
}

// put takes number, first day, last day, four permissions and a PIN.
func (c client) put(words []string) (any, error) {
	if len(words) != 5 {
		return nil, errors.New("put: give number, first day, last day, four permissions, PIN")
	}
	var number, pin uint32
	var doors [4]uint8
	_, err := fmt.Sscan(words[0], &number)
	_, errPIN := fmt.Sscan(words[4], &pin)
	_, errDoors := fmt.Sscanf(words[3], "%d,%d,%d,%d", &doors[0], &doors[1], &doors[2], &doors[3])
	from, errFrom := types.ParseDate(words[1])
	to, errTo := types.ParseDate(words[2])
	if err := errors.Join(err, errPIN, errDoors, errFrom, errTo); err != nil {
		return nil, err
	}
	return c.core.PutCard(c.serial, types.Card{
		CardNumber: number, From: from, To: to, PIN: types.PIN(pin),
		Doors: map[uint8]uint8{1: doors[0], 2: doors[1], 3: doors[2], 4: doors[3]},
	})
}

func (c client) listener(words []string) (any, error) {
	if len(words) == 0 {
		at, _, err := c.core.GetListener(c.serial)
		return at, err
	}
	at, err := netip.ParseAddrPort(words[0])
	if err != nil {
		return nil, err
	}
	return c.core.SetListener(c.serial, at, 0)
}
