package zk

import (
	"bytes"

	"doorsync/firmware-bridge/zk/frame"
)

// maskByte stands in a trace where a secret was.
const maskByte = '*'

// show gives a frame to the trace, secrets masked.
func (l *link) show(dir string, payload []byte) {
	if l.trace != nil {
		l.trace(dir, masked(payload))
	}
}

// masked returns a copy of a payload without PINs, templates and keys. Data
// packets are masked whole: what is in them depends on what was asked before.
func masked(payload []byte) []byte {
	b := bytes.Clone(payload)
	const head = 8
	if len(b) <= head {
		return b
	}
	f, err := frame.Parse(b)
	data := b[head:]
	switch {
	case err != nil, f.Cmd == frame.CmdData, f.Cmd == frame.CmdAuth, f.Cmd == frame.AckData:
		hide(data)
	case f.Cmd == frame.CmdWriteUser && len(data) == frame.Width72:
		hide(data[3:11])
	case f.Cmd == frame.CmdWriteUser && len(data) == frame.Width28:
		hide(data[3:8])
	case f.Cmd == frame.CmdWriteUser:
		hide(data)
	}
	return b
}

func hide(b []byte) {
	for i := range b {
		b[i] = maskByte
	}
}
