// Package drivertest is the examination that every driver passes. A driver is
// finished when Run is green for a reader of its dialect, not before.
package drivertest

import (
	"testing"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport/faulty"
	"doorsync/protocol"
)

// Case is one driver with a reader to examine it on.
type Case struct {
	// New makes the driver for a reader at address (host:port). Use short
	// time-outs (100 to 300 ms for an answer): bad lines are part of the
	// examination. Nothing is sent yet.
	New func(t *testing.T, address string) driver.Driver
	// Start starts a fresh, empty reader, which ends with the test.
	Start func(t *testing.T) Bench
	// Users are people whom the reader can hold, at least three, each with at
	// least one row of their own and no key shared. The more kinds of value and
	// credential they use, the better.
	Users []protocol.User
	// Edited is Users[0] after an edit: its projection has the keys of
	// Users[0]'s but other contents.
	Edited protocol.User
	// Refused are people for whom Project must return no rows and say why.
	Refused []protocol.User
	// User makes the n-th of many people, each with one row, for the large
	// table. nil: no large table is examined.
	User func(n int) protocol.User
	// Many is how many rows the large table has, 0: 1,000.
	Many int
	// Network over which New reaches the address: "tcp" or "udp".
	Network string
	// Checksum tells that the protocol notices corrupted bytes. Without one the
	// examination only asks that corruption never shortens a table silently,
	// never crashes the driver and leaves nothing behind.
	Checksum bool
	// OnePiece tells that this reader, a poor one, understands a request only if
	// it comes in one piece: a driver may then fail on a line that splits.
	OnePiece bool
	// Plans are further bad lines, beside those every driver meets.
	Plans []faulty.Plan
}

// Bench is a running reader and direct access to it, past the driver.
type Bench struct {
	Address string
	// Rows are the rows that the reader holds, told by the reader itself and in
	// the driver's canonical form. nil: what the driver lists over a good line
	// is believed.
	Rows func(t *testing.T) []driver.Row
	// Put changes the reader's table as somebody standing at it would. nil: no
	// such changes are examined.
	Put func(t *testing.T, rows ...driver.Row)
	// Remove takes rows from the table as somebody standing at it would.
	Remove func(t *testing.T, keys ...string)
}

// Run examines a driver.
func Run(t *testing.T, c Case) {
	t.Helper()
	if len(c.Users) < 3 {
		t.Fatal("drivertest: a case needs at least three users")
	}
	t.Run("contract", func(t *testing.T) { contract(t, c) })
	t.Run("projection", func(t *testing.T) { projection(t, c) })
	t.Run("at_the_reader", func(t *testing.T) { atTheReader(t, c) })
	t.Run("capabilities", func(t *testing.T) { capabilities(t, c) })
	t.Run("ending", func(t *testing.T) { ending(t, c) })
	t.Run("bad_lines", func(t *testing.T) { badLines(t, c) })
	if c.User != nil {
		t.Run("many_rows", func(t *testing.T) { manyRows(t, c) })
	}
}
