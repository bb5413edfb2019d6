package main

import (
	"context"
	"errors"
	"fmt"
)

// device is a simulated reader as a program: it listens and serves.
type device interface {
	Listen(addr string) error
	Addr() string
	Serial() string
	Run(ctx context.Context) error
}

// hands are what somebody can do who stands at the reader.
type hands interface {
	people() []person
	enroll(p person) error
	edit(id string, c change) error
	remove(id string) error
	present(id string) error
}

// faults is a reader that can have a bad day.
type faults interface{ setFault(name string) error }

// reader is one simulated reader with its name and kind.
type reader struct {
	name, kind, listen string
	device             device
	hands              hands
}

// person is somebody in a reader's table, as the control socket speaks of
// them. What the reader cannot hold is left empty. The PIN goes in, never out.
type person struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Card     uint32 `json:"card,omitempty"`
	PIN      string `json:"pin,omitempty"`
	HasPIN   bool   `json:"has_pin"`
	Fingers  []int  `json:"fingers,omitempty"`
	Doors    []int  `json:"doors,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Disabled bool   `json:"disabled"`
}

// change is an edit; what is nil or empty stays.
type change struct {
	Name          *string `json:"name,omitempty"`
	Card          *uint32 `json:"card,omitempty"`
	PIN           *string `json:"pin,omitempty"`
	Disabled      *bool   `json:"disabled,omitempty"`
	AddFingers    []int   `json:"add_fingers,omitempty"`
	RemoveFingers []int   `json:"remove_fingers,omitempty"`
	Doors         []int   `json:"doors,omitempty"`
	From          *string `json:"from,omitempty"`
	To            *string `json:"to,omitempty"`
}

// errNotFound is a reader or user that is not there.
var errNotFound = errors.New("not found")

func notFound(err error) error { return fmt.Errorf("%w: %w", errNotFound, err) }
