package packet

import (
	"fmt"
	"time"
)

// Date is a day as the number yyyymmdd, 0 for none.
type Date uint32

// The widest span that is written.
const (
	FirstDate Date = 20000101
	LastDate  Date = 20991231
)

// DateOf is the day of t in t's own zone. Years that four digits cannot write
// become the nearest that they can.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	switch {
	case y < 1:
		return 10101
	case y > 9999:
		return 99991231
	}
	return Date(y*10000 + int(m)*100 + d)
}

// Time is the moment of the day in a zone.
func (d Date) Time(hour, minute, second int, zone *time.Location) time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), hour, minute, second, 0, zone)
}

// String writes the day as 2026-11-22.
func (d Date) String() string {
	if d == 0 {
		return "none"
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

func (d Date) put(b []byte) {
	for i, v := range []uint32{uint32(d) / 1000000, uint32(d) / 10000 % 100, uint32(d) / 100 % 100, uint32(d) % 100} {
		b[i] = bcd(int(v))
	}
}

func date(b []byte) (Date, error) {
	n, err := digits(b[:4])
	if err != nil {
		return 0, err
	}
	d := Date(n)
	if d != 0 && DateOf(d.Time(0, 0, 0, time.UTC)) != d {
		return 0, fmt.Errorf("%w: %v is no date", ErrMalformed, d)
	}
	return d, nil
}

// WithTime returns the packet with the wall time of t, in t's own zone, in its
// body.
func (p Packet) WithTime(t time.Time) Packet {
	putTime(p[body:], t)
	return p
}

// Time reads the wall time in the body, as time in a zone.
func (p Packet) Time(zone *time.Location) (time.Time, error) { return moment(p[body:], zone) }

func putTime(b []byte, t time.Time) {
	if t.IsZero() {
		clear(b[:7])
		return
	}
	DateOf(t).put(b)
	b[4], b[5], b[6] = bcd(t.Hour()), bcd(t.Minute()), bcd(t.Second())
}

// moment reads seven bytes yyyymmddhhmmss; all zero is the zero time.
func moment(b []byte, zone *time.Location) (time.Time, error) {
	d, err := date(b)
	if err != nil {
		return time.Time{}, err
	}
	n, err := digits(b[4:7])
	if err != nil {
		return time.Time{}, err
	}
	if d == 0 {
		return time.Time{}, nil
	}
	h, m, s := int(n/10000), int(n/100%100), int(n%100)
	if h > 23 || m > 59 || s > 59 {
		return time.Time{}, fmt.Errorf("%w: %06d is no time of day", ErrMalformed, n)
	}
	return d.Time(h, m, s, zone), nil
}

func bcd(v int) byte { return byte(v/10<<4 | v%10) }

// digits reads binary coded decimals.
func digits(b []byte) (uint64, error) {
	var n uint64
	for _, c := range b {
		if c>>4 > 9 || c&0xF > 9 {
			return 0, fmt.Errorf("%w: %x are no decimal digits", ErrMalformed, b)
		}
		n = n*100 + uint64(c>>4*10+c&0xF)
	}
	return n, nil
}
