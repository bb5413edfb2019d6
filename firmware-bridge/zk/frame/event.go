package frame

import (
	"bytes"
	"time"
)

// EventBit says what a live event tells; terminals put it where other frames
// have the session.
type EventBit uint16

// Live events.
const (
	EventAttendance EventBit = 1
	EventFinger     EventBit = 2
	EventNewUser    EventBit = 4
	EventEnrolled   EventBit = 8
	EventKey        EventBit = 16
	EventUnlock     EventBit = 32
	EventVerify     EventBit = 128
	EventScore      EventBit = 256
	EventAlarm      EventBit = 512
)

// AllEvents is the mask that asks for every event.
const AllEvents uint32 = 0xFFFF

// Event is a live event as far as it is understood; what a firmware sends in
// another form leaves the fields zero.
type Event struct {
	Bit    EventBit
	UID    uint16 // of EventNewUser
	UserID string // of EventAttendance and EventEnrolled
	Finger uint8
	Result uint16 // of EventEnrolled: 0 done, 4 and 6 failed, 5 duplicate
	Score  uint8  // of EventScore
	At     time.Time
}

// ParseEvent reads a frame with command CmdRegEvent.
func ParseEvent(f Frame, loc *time.Location) Event {
	e := Event{Bit: EventBit(f.Session)}
	d := f.Data
	switch {
	case e.Bit == EventNewUser && len(d) >= 2:
		e.UID = le.Uint16(d)
	case e.Bit == EventEnrolled && len(d) >= 2:
		e.Result = le.Uint16(d)
		if e.Result == 0 && len(d) >= 14 {
			e.UserID, e.Finger = printable(d[4:13]), d[13]
		}
	case e.Bit == EventScore && len(d) >= 1:
		e.Score = d[0]
	case e.Bit == EventAttendance && len(d) >= 32:
		e.UserID, e.At = printable(d[:24]), eventTime(d[26:32], loc)
	case e.Bit == EventAttendance && len(d) == 12:
		e.UserID, e.At = decimal(le.Uint32(d)), eventTime(d[6:12], loc)
	case e.Bit == EventAttendance && len(d) == 14:
		e.UserID, e.At = decimal(uint32(le.Uint16(d))), eventTime(d[8:14], loc)
	}
	return e
}

func eventTime(b []byte, loc *time.Location) time.Time {
	if b[1] < 1 || b[1] > 12 || b[2] < 1 || b[2] > 31 {
		return time.Time{}
	}
	return time.Date(2000+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, loc)
}

// printable returns the text before the first zero, or nothing if it is no
// plain ASCII.
func printable(b []byte) string {
	b = cString(b)
	if bytes.ContainsFunc(b, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return string(b)
}
