package uhppote

import (
	"fmt"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote/packet"
)

// notice is what an event tells about users, false if it tells nothing. A
// controller has no event for edits of its card table.
func (s *session) notice(e packet.Event) (driver.Notice, bool) {
	n := driver.Notice{At: e.At}
	switch {
	case e.Reason == packet.ReasonPowerOn || e.Reason == packet.ReasonReset:
		n.Kind, n.Detail = driver.NoticeChanged, reason(e.Reason)
		return n, true
	case (e.Type != packet.EventSwipe && e.Type != packet.EventDoor) || packet.Illegal(e.Card):
		return n, false
	}
	n.Key = key(s.numbers.card(e.Card))
	n.Kind = driver.NoticeEntered
	if e.Reason == packet.ReasonUnknownCard {
		n.Kind = driver.NoticeUnknown
	}
	verdict := "denied"
	if e.Granted {
		verdict = "granted"
	}
	n.Detail = fmt.Sprintf("door %d, %s, %s", e.Door, verdict, reason(e.Reason))
	return n, true
}

func reason(code uint8) string {
	switch code {
	case packet.ReasonSwipe:
		return "card presented"
	case packet.ReasonNoPrivilege:
		return "no permission for this door"
	case packet.ReasonWrongPIN:
		return "wrong PIN"
	case packet.ReasonAntipass:
		return "antipassback"
	case packet.ReasonFirstCard:
		return "waiting for the first card of the day"
	case packet.ReasonClosed:
		return "door is normally closed"
	case packet.ReasonProfile:
		return "outside the permitted hours"
	case packet.ReasonUnknownCard:
		return "unknown card"
	case packet.ReasonPowerOn:
		return "the controller was switched on"
	case packet.ReasonReset:
		return "the controller was reset"
	case packet.ReasonInterlock:
		return "another door is open"
	default:
		return fmt.Sprintf("reason %d", code)
	}
}
