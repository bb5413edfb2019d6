package zksim

import (
	"bytes"

	"doorsync/firmware-bridge/zk/frame"
)

// Fault is a bad day of the terminal.
type Fault int

// Bad days.
const (
	FaultNone         Fault = iota
	FaultHalfTable          // tables are announced whole and sent half
	FaultFewer              // tables announce fewer records than the terminal counts, and send these
	FaultGarbage            // tables are noise of the right length
	FaultSilent             // nothing is answered
	FaultRefuseWrites       // every write is refused
)

// SetFault makes the day good or bad, at once.
func (t *Terminal) SetFault(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = f
}

// cut shortens what is sent of what was announced.
func (f Fault) cut(b []byte) []byte {
	if f == FaultHalfTable {
		return b[:len(b)/2]
	}
	return b
}

// spoil changes a table before it is announced.
func (f Fault) spoil(records []byte, l frame.Layout) []byte {
	switch {
	case f == FaultGarbage:
		return bytes.Repeat([]byte{0xA5, 0x5A, 0x01}, len(records)/3+1)[:len(records)]
	case f == FaultFewer && len(records) >= l.Width:
		return records[:len(records)/2/l.Width*l.Width]
	default:
		return records
	}
}
