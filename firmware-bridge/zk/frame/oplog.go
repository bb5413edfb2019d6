package frame

import (
	"fmt"
	"time"
)

// OpLen is the length of one record of the operation log.
const OpLen = 16

// Operations that the driver or the simulated terminal names.
const (
	OpPowerOn        = 0
	OpEnrollFinger   = 6
	OpEnrollPassword = 7
	OpEnrollCard     = 8
	OpDeleteUser     = 9
	OpDeleteFinger   = 10
	OpDeletePassword = 11
	OpDeleteCard     = 12
	OpClearData      = 13
	OpNewUser        = 30
	OpModifyUser     = 36
)

// Op is one record of the operation log.
type Op struct {
	Admin uint16
	Code  uint8
	Extra uint8
	Time  uint32
	V     [4]uint16
}

// ParseOplog reads the log's records, oldest first.
func ParseOplog(body []byte) ([]Op, error) {
	if len(body)%OpLen != 0 {
		return nil, fmt.Errorf("operation log of %d bytes: %w", len(body), ErrTable)
	}
	ops := make([]Op, 0, len(body)/OpLen)
	for ; len(body) > 0; body = body[OpLen:] {
		o := Op{Admin: le.Uint16(body), Code: body[2], Extra: body[3], Time: le.Uint32(body[4:])}
		for i := range o.V {
			o.V[i] = le.Uint16(body[8+2*i:])
		}
		ops = append(ops, o)
	}
	return ops, nil
}

// Append appends the record.
func (o Op) Append(b []byte) []byte {
	b = le.AppendUint16(b, o.Admin)
	b = append(b, o.Code, o.Extra)
	b = le.AppendUint32(b, o.Time)
	for _, v := range o.V {
		b = le.AppendUint16(b, v)
	}
	return b
}

// At is when it happened by the terminal's clock.
func (o Op) At(loc *time.Location) time.Time { return DecodeTime(o.Time, loc) }

// Quiet reports whether the operation leaves users as they are. What is not
// known is taken as a change.
func (o Op) Quiet() bool {
	switch o.Code {
	case 0, 1, 2, 3, 4, 5, 21, 23, 29:
		return true
	default:
		return false
	}
}

// String says in words what was done, without values.
func (o Op) String() string {
	words := [...]string{
		0: "power on", 1: "power off", 2: "authentication failed", 3: "alarm", 4: "menu entered", 5: "option changed",
		6: "fingerprint enrolled", 7: "password enrolled", 8: "card enrolled", 9: "user deleted", 10: "fingerprint deleted",
		11: "password deleted", 12: "card deleted", 13: "data cleared", 14: "smart card created", 15: "smart card enrolled",
		16: "smart card registered", 17: "smart card registration deleted", 18: "smart card cleared",
		19: "data moved to card", 20: "data copied from card", 21: "clock set", 22: "factory defaults",
		23: "attendance deleted", 24: "administrators cleared", 25: "group access changed", 26: "user access changed",
		27: "time period changed", 28: "unlock combination changed", 29: "unlocked", 30: "user enrolled",
		31: "fingerprint attribute changed", 32: "duress", 36: "user changed",
	}
	if int(o.Code) < len(words) && words[o.Code] != "" {
		return words[o.Code]
	}
	return fmt.Sprintf("operation %d", o.Code)
}
