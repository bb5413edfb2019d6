package uhppote

import (
	"fmt"
	"strings"
	"time"

	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

// span is a validity as a controller holds it: whole local days, the last one
// included. rounded says what of the wish was not held, "" if nothing was.
type span struct {
	from, to packet.Date
	rounded  string
}

// spanOf is the span for a user's validity. A day written as a date alone, or
// as midnight UTC, which is how dates without a time travel, is that day
// wherever the controller stands; any other moment is the local day in which it
// lies.
func spanOf(v protocol.Value, zone *time.Location) (span, error) {
	if _, err := protocol.ParseValidity(v); err != nil {
		return span{}, err
	}
	s := span{from: packet.FirstDate, to: packet.LastDate}
	if v.First != "" {
		day, at := dayOf(v.First, zone, 0)
		s.clamp(&s.from, day)
		s.noteTime(at, startOf(day, zone))
	}
	if v.Second != "" {
		// Expiring at a local midnight is expiring at the end of the day before.
		day, at := dayOf(v.Second, zone, -time.Second)
		s.clamp(&s.to, day)
		s.noteTime(at, endOf(day, zone))
	}
	return s, nil
}

func (s *span) clamp(into *packet.Date, day packet.Date) {
	*into = min(max(day, packet.FirstDate), packet.LastDate)
	if *into != day {
		s.rounded = fmt.Sprintf("the controller holds dates from %v to %v", packet.FirstDate, packet.LastDate)
	}
}

func (s *span) noteTime(wish, held time.Time) {
	if !wish.IsZero() && !wish.Equal(held) && s.rounded == "" {
		s.rounded = "the controller holds whole days, no time of day"
	}
}

// dayOf is the local day of what is written, and the moment unless only a day
// was meant. shift moves a moment before its day is taken.
func dayOf(text string, zone *time.Location, shift time.Duration) (packet.Date, time.Time) {
	v, err := protocol.ParseValidity(protocol.Value{First: text})
	if err != nil {
		return 0, time.Time{} // cannot be: spanOf has parsed it
	}
	at := v.ActivatesAt.UTC()
	if len(strings.TrimSpace(text)) == len(time.DateOnly) || at.Equal(at.Truncate(24*time.Hour)) {
		return packet.DateOf(at), time.Time{}
	}
	return packet.DateOf(at.Add(shift).In(zone)), at
}

func startOf(d packet.Date, zone *time.Location) time.Time { return d.Time(0, 0, 0, zone) }

func endOf(d packet.Date, zone *time.Location) time.Time { return d.Time(23, 59, 59, zone) }

// value is the validity that a controller's dates amount to, NULL for the
// widest span.
func (s span) value(zone *time.Location) protocol.Value {
	var v protocol.Validity
	if s.from > packet.FirstDate {
		v.ActivatesAt = startOf(s.from, zone)
	}
	if s.to < packet.LastDate {
		v.ExpiresAt = endOf(s.to, zone)
	}
	return v.Value()
}
