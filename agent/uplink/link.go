package uplink

import (
	"context"
	"errors"

	"doorsync/protocol/wire"
)

// ErrNotConnected is what Publish of a Link answers once the connection is gone.
var ErrNotConnected = errors.New("not connected to the broker")

// Connect opens one connection to the broker. It returns when what the center
// sends will be heard, or with an error after a bounded time.
type Connect func(ctx context.Context, c Call) (Link, error)

// Call is what a connection is opened with.
type Call struct {
	Session string
	Will    []byte // published by the broker under KindPresence when the connection is lost
	// Heard gets every message of the center, in the order of arrival. It must
	// not block.
	Heard func(k wire.Kind, payload []byte)
}

// Link is one connection. It may lose, double and reorder messages.
type Link interface {
	// Publish hands a message to the connection; nil does not mean that it
	// arrived.
	Publish(k wire.Kind, payload []byte) error
	// Lost is closed when the connection is gone.
	Lost() <-chan struct{}
	// Why tells why it is gone, once Lost is closed.
	Why() error
	Close()
}
