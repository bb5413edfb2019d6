package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/firmware-bridge/zk/frame"
)

// secrets compares PINs and templates in all terminals, and looks for them
// where they must not be. The terminals are stopped for it: what they hold is
// in their files then.
func (w *world) secrets() (string, error) {
	var errs []error
	for _, t := range w.terminals {
		errs = append(errs, t.Stop())
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	templates, err := w.sameEverywhere()
	if err != nil {
		return "", err
	}
	texts, err := w.texts()
	if err != nil {
		return "", err
	}
	size := 0
	pins := w.people.pins
	forms := secretForms(pins, templates)
	for path, text := range texts {
		size += len(text)
		for _, found := range append(pinsIn(text, pins), forms.in(text)...) {
			w.line.fail("%s tells %s", path, found)
		}
	}
	return fmt.Sprintf("%d PINs and %d templates are the same in all terminals, and in none of %d logs (%d KiB)", len(pins), len(templates), len(texts), size>>10), nil
}

// sameEverywhere compares the PINs with what was typed in, and the templates of
// all terminals with each other. It returns the templates.
func (w *world) sameEverywhere() (map[string][]byte, error) {
	people := w.people.look()
	templates := map[string][]byte{}
	for _, site := range siteNames() {
		for _, terminal := range terminalNames() {
			file := filepath.Join(w.dir, "terminals-"+site, terminal+".json")
			t, err := zksim.New(zksim.Options{Width: frame.Width72, FingerVersion: "10", StateFile: file})
			if err != nil {
				return nil, err
			}
			for _, p := range t.List() {
				if want, ok := people[p.ID]; ok && p.PIN != want.pin {
					w.line.fail("user %s has another PIN in %s of %s than was typed in last", p.ID, terminal, site)
				}
				for finger, data := range p.Fingers {
					key := fmt.Sprintf("finger %d of user %s", finger, p.ID)
					if before, ok := templates[key]; ok && !bytes.Equal(before, data) {
						w.line.fail("%s is another in %s of %s", key, terminal, site)
					}
					templates[key] = data
				}
			}
		}
	}
	return templates, nil
}

// toldOfFull is counted for each program that said that its disk is full.
const toldOfFull = "logs that tell of a full disk"

// texts are all logs, and what the command lines print of journals.
func (w *world) texts() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, pattern := range []string{"*/log", "journal-*.json", "events.json"} {
		paths, err := filepath.Glob(filepath.Join(w.dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("find logs: %w", err)
		}
		for _, path := range paths {
			if out[path], err = os.ReadFile(path); err != nil {
				return nil, fmt.Errorf("read log: %w", err)
			}
		}
	}
	for path, text := range out {
		if bytes.Contains(text, []byte("full")) {
			w.line.count(aside, toldOfFull)
		}
		for _, bad := range []string{"panic:", "fatal error:", "DATA RACE"} {
			if i := bytes.Index(text, []byte(bad)); i >= 0 {
				w.line.fail("%s: %s", path, text[i:min(i+300, len(text))])
			}
		}
	}
	return out, nil
}

// grain is the length of what is looked for: the first bytes of each form that a
// secret can take. All forms are looked for at once, in one pass over a text.
const grain = 16

// needles are what must not be in any text, by the first bytes of its forms.
type needles map[[grain]byte]string

func (n needles) add(form, what string) {
	if len(form) >= grain {
		n[[grain]byte([]byte(form))] = what
	}
}

// in finds what a text tells, each thing once.
func (n needles) in(text []byte) []string {
	found := map[string]bool{}
	for i := 0; i+grain <= len(text); i++ {
		if what, ok := n[[grain]byte(text[i:i+grain])]; ok {
			found[what] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// secretForms are templates as bytes, hex, base64 or a list of numbers, and PINs
// as the hex of their digits.
func secretForms(pins []string, templates map[string][]byte) needles {
	n := needles{}
	for name, data := range templates {
		middle := data[20:50] // behind the head that all have
		what := "the template of " + name
		n.add(string(middle), what)
		n.add(fmt.Sprintf("%x", middle), what)
		n.add(fmt.Sprintf("%X", middle), what)
		n.add(strings.Trim(fmt.Sprint(middle), "[]"), what)
		for shift := range 3 { // base64 looks different at each place within three bytes
			n.add(base64.RawStdEncoding.EncodeToString(middle[shift:shift+27]), what)
		}
	}
	for _, pin := range pins {
		n.add(hex.EncodeToString([]byte(pin)), "the PIN "+pin)
	}
	return n
}

// pinsIn finds PINs that stand in a text as words. Eight digits within a longer
// number are that number.
func pinsIn(text []byte, pins []string) []string {
	var out []string
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[0-9A-Za-z]+`).FindAll(text, -1) {
		words[string(word)] = true
	}
	for _, pin := range pins {
		if words[pin] {
			out = append(out, "the PIN "+pin)
		}
	}
	return out
}
