// Package broker is how the center reaches its sites: a broker embedded in the
// center, or one outside it. Either is a pipe that may lose, double and reorder
// messages; nothing rests on what it keeps.
package broker

import (
	"context"
	"errors"
)

// ErrNotConnected is what Publish answers while there is no connection.
var ErrNotConnected = errors.New("not connected to the broker")

// Handler hears what the sites send.
type Handler struct {
	// Heard gets every message of every site. It must not block.
	Heard func(topic string, payload []byte)
	// Connected is called each time a connection begins: what was sent before
	// may be lost.
	Connected func()
	// Lost is called when the connection has ended.
	Lost func(err error)
}

// Broker is a broker, embedded or not.
type Broker interface {
	// Run hears every site until ctx ends. A lost connection does not end it.
	Run(ctx context.Context, h Handler) error
	// Publish hands a message to the broker; nil does not mean that it arrived.
	Publish(topic string, payload []byte) error
	// Address is where sites connect.
	Address() string
	Close() error
}

// Authenticator knows the keys of the sites.
type Authenticator interface {
	CheckKey(site, key string) bool
}
