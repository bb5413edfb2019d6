package frame

import "math/bits"

// ticks is the constant that terminals take in place of a running counter.
const ticks = 50

// CommKey scrambles the communication key for one session, as the data of
// CmdAuth.
func CommKey(key uint32, session uint16) [4]byte {
	var b [4]byte
	le.PutUint32(b[:], bits.Reverse32(key)+uint32(session))
	b[0], b[1], b[2], b[3] = b[0]^'Z', b[1]^'K', b[2]^'S', b[3]^'O'
	b[0], b[1], b[2], b[3] = b[2], b[3], b[0], b[1]
	b[0] ^= ticks
	b[1] ^= ticks
	b[2] = ticks
	b[3] ^= ticks
	return b
}
