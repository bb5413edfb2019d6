package transport

import (
	"bytes"
	"net"
)

// traced shows all bytes that pass to a trace, secrets masked.
type traced struct {
	net.Conn
	trace func(dir string, b []byte)
	mask  func(dir string, b []byte) []byte
}

// Read reads from the reader.
func (c *traced) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.show(Received, b[:n])
	return n, err
}

// Write writes to the reader.
func (c *traced) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.show(Sent, b[:n])
	return n, err
}

func (c *traced) show(dir string, b []byte) {
	if len(b) == 0 {
		return
	}
	b = bytes.Clone(b)
	if c.mask != nil {
		b = c.mask(dir, b)
	}
	c.trace(dir, b)
}
