package csvfile

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"doorsync/protocol"
)

// The notations of a credential's number.
const (
	notationDecimal  = "decimal"
	notationHex      = "hex"
	notationFacility = "facility:number"
)

func notations() []string { return []string{notationDecimal, notationHex, notationFacility} }

// maxNumber bounds a credential's number, in decimal digits.
const maxNumber = 64

// wiegand is a card format whose number is made of a facility code and a card
// number: facility<<low | number.
type wiegand struct {
	name       string
	bits       uint16 // on the wire, parity included
	high, low  int    // bits of the facility code and of the card number
	maxHigh    uint64
	maxLow     uint64
	maxNumbers uint64
}

func wiegandOf(format string) (wiegand, bool) {
	for _, w := range []wiegand{
		{name: "wiegand26", bits: 26, high: 8, low: 16},
		{name: "wiegand34", bits: 34, high: 16, low: 16},
		{name: "wiegand37", bits: 37, high: 16, low: 19}, // with facility code (H10304)
	} {
		if w.name == format {
			w.maxHigh, w.maxLow, w.maxNumbers = 1<<w.high-1, 1<<w.low-1, 1<<(w.high+w.low)-1
			return w, true
		}
	}
	return wiegand{}, false
}

// cards reads the credentials of one column.
type cards struct {
	kind     protocol.Kind
	format   string
	notation string
	wiegand  wiegand // bits 0 if the format has no facility code that is known
	split    string
}

func newCards(kind protocol.Kind, format, notation, split string) (*cards, error) {
	c := &cards{kind: kind, format: format, notation: orDefault(notation, notationDecimal), split: split}
	if !slices.Contains(notations(), c.notation) {
		return nil, fmt.Errorf("there is no notation %q; write %s", notation, strings.Join(notations(), ", "))
	}
	if c.format == "" {
		if c.format = protocol.FormatNumber; c.notation == notationFacility {
			c.format = "wiegand26"
		}
	}
	if strings.Trim(c.format, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || len(c.format) > 32 {
		return nil, fmt.Errorf("%q is no format of a credential; write it such as number or wiegand26, and the notation as %s", format, strings.Join(notations(), ", "))
	}
	var known bool
	if c.wiegand, known = wiegandOf(c.format); !known && c.notation == notationFacility {
		return nil, fmt.Errorf("the format %s has no facility code that is known; write wiegand26, wiegand34 or wiegand37", c.format)
	}
	return c, nil
}

func (c *cards) wanted() string {
	what := string(c.kind)
	switch c.notation {
	case notationHex:
		return "a " + what + " number in hexadecimal, such as 04A2B3C4"
	case notationFacility:
		return fmt.Sprintf("facility and number, such as 12:3456, of at most %d and %d", c.wiegand.maxHigh, c.wiegand.maxLow)
	}
	if c.wiegand.bits > 0 {
		return fmt.Sprintf("a %s number in decimal digits, at most %d", what, c.wiegand.maxNumbers)
	}
	return "a " + what + " number in decimal digits, such as 4711"
}

// read reads one credential; wrong says what is wrong with it, "" if nothing.
func (c *cards) read(s string) (out protocol.Credential, wrong string) {
	switch c.notation {
	case notationHex:
		s, wrong = hexNumber(s)
	case notationFacility:
		s, wrong = c.facility(s)
	default:
		s, wrong = decimalNumber(s)
	}
	switch {
	case wrong != "":
		return out, wrong
	case s == "":
		return out, "0 is no number of a credential"
	case len(s) > maxNumber:
		return out, fmt.Sprintf("the number has more than %d digits", maxNumber)
	}
	if c.wiegand.bits > 0 {
		if n, err := strconv.ParseUint(s, 10, 64); err != nil || n > c.wiegand.maxNumbers {
			return out, "the number is too large for " + c.format
		}
	}
	return protocol.Credential{Kind: c.kind, Format: c.format, Number: s, Bits: c.wiegand.bits}, ""
}

// decimalNumber takes the zeros off that stand before a number.
func decimalNumber(s string) (number, wrong string) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", notDecimal(s)
		}
	}
	return strings.TrimLeft(s, "0"), ""
}

// notDecimal looks for what spreadsheets make of long numbers.
func notDecimal(s string) string {
	if _, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64); err == nil && strings.ContainsAny(s, "eE") {
		return "a spreadsheet has rounded the number, digits are lost: format the column as text there"
	}
	if strings.Trim(strings.ToLower(s), "0123456789abcdefx:- ") == "" {
		return "this is no decimal number (if it is hexadecimal, say so in the columns: card:hex)"
	}
	return "this is no decimal number"
}

// hexNumber takes digits with 0x before them or not, and with blanks, colons or
// hyphens between them or not, the most significant first.
func hexNumber(s string) (number, wrong string) {
	digits := strings.NewReplacer(":", "", "-", "", " ", "").Replace(strings.TrimPrefix(strings.ToLower(s), "0x"))
	if strings.Trim(digits, "0123456789abcdef") != "" || digits == "" {
		return "", "this is no hexadecimal number"
	}
	if digits = strings.TrimLeft(digits, "0"); len(digits) <= 16 {
		n, _ := strconv.ParseUint(digits, 16, 64)
		return strings.TrimLeft(strconv.FormatUint(n, 10), "0"), ""
	}
	if len(digits) > maxNumber {
		return "", fmt.Sprintf("the number has more than %d digits", maxNumber)
	}
	n, _ := new(big.Int).SetString(digits, 16)
	return n.String(), ""
}

// facility takes facility and number with a colon, hyphen, slash or blank between
// them, each with zeros before it or not.
func (c *cards) facility(s string) (number, wrong string) {
	i := strings.IndexAny(s, ":-/")
	if i < 0 {
		i = strings.IndexByte(s, ' ')
	}
	if i < 0 {
		return "", "there is no facility code in it"
	}
	high, errHigh := strconv.ParseUint(strings.TrimSpace(s[:i]), 10, 64)
	low, errLow := strconv.ParseUint(strings.TrimSpace(s[i+1:]), 10, 64)
	switch {
	case errHigh != nil || errLow != nil:
		return "", "this is not facility and number"
	case high > c.wiegand.maxHigh:
		return "", fmt.Sprintf("the facility code is larger than %d", c.wiegand.maxHigh)
	case low > c.wiegand.maxLow:
		return "", fmt.Sprintf("the card number is larger than %d", c.wiegand.maxLow)
	}
	return strings.TrimLeft(strconv.FormatUint(high<<c.wiegand.low|low, 10), "0"), ""
}
