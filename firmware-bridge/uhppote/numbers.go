package uhppote

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

// FormatShown is the format of a card that is known by the number that a
// controller shows and by no other: it does not come apart into facility code
// and number though the controller is said to show cards so.
const FormatShown = "uhppote"

const keyPrefix = "card:"

// numbers is how the numbers that a controller shows and the cards that
// everybody knows belong together, one to one.
type numbers interface {
	// card is the card that the controller shows as a number.
	card(shown uint32) protocol.Credential
	// shown is the number under which the controller holds a card.
	shown(c protocol.Credential) (uint32, error)
}

// byNumber: the controller shows the card's number itself.
type byNumber struct{}

func (byNumber) card(shown uint32) protocol.Credential { return protocol.Card(uint64(shown)) }

func (byNumber) shown(c protocol.Credential) (uint32, error) {
	if c.Format != protocol.FormatNumber {
		return 0, fmt.Errorf("the controller knows cards by their bare number only, not in format %s", c.Format)
	}
	n, err := strconv.ParseUint(c.Number, 10, 32)
	if err != nil {
		return 0, errors.New("the number is too long for the controller, which holds up to 4294967294")
	}
	return legal(uint32(n))
}

// byFacility: the controller shows a 26 bit card as its facility code followed
// by five digits of its number, where others see both as one number of 24 bits.
type byFacility struct{}

const (
	shownFacility = 100000
	maxFacility   = 0xFF
	maxNumber     = 0xFFFF
)

func (byFacility) card(shown uint32) protocol.Credential {
	facility, number := shown/shownFacility, shown%shownFacility
	if !comesApart(shown) {
		return protocol.Credential{
			Kind: protocol.KindCard, Format: FormatShown, Number: strconv.FormatUint(uint64(shown), 10),
		}
	}
	return protocol.Card(uint64(facility<<16 | number))
}

func comesApart(shown uint32) bool {
	return shown != 0 && shown/shownFacility <= maxFacility && shown%shownFacility <= maxNumber
}

func (byFacility) shown(c protocol.Credential) (uint32, error) {
	n, err := strconv.ParseUint(c.Number, 10, 32)
	switch {
	case c.Format == FormatShown && err == nil && !comesApart(uint32(n)):
		return legal(uint32(n))
	case c.Format != protocol.FormatNumber:
		return 0, fmt.Errorf("the controller knows cards by facility code and number only, not in format %s", c.Format)
	case err != nil || n > maxFacility<<16|maxNumber:
		return 0, errors.New("the number is too long for a card of 26 bits, which this controller is set to hold")
	}
	return legal(uint32(n>>16)*shownFacility + uint32(n&maxNumber))
}

func legal(shown uint32) (uint32, error) {
	if packet.Illegal(shown) {
		return 0, errors.New("the controller takes this number for no card")
	}
	return shown, nil
}

// key is the key of a card's row.
func key(c protocol.Credential) string {
	if c.Format == protocol.FormatNumber {
		return keyPrefix + c.Number
	}
	return keyPrefix + c.Format + ":" + c.Number
}

// keyed is the card whose row has the key.
func keyed(key string) (protocol.Credential, error) {
	c := protocol.Credential{Kind: protocol.KindCard, Format: protocol.FormatNumber}
	rest, ok := strings.CutPrefix(key, keyPrefix)
	if format, number, found := strings.Cut(rest, ":"); found {
		c.Format, rest = format, number
	}
	c.Number = rest
	if err := c.Valid(); !ok || err != nil {
		return protocol.Credential{}, fmt.Errorf("%q is no row of this controller; rows are named %s<number>", key, keyPrefix)
	}
	return c, nil
}
