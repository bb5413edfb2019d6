package main

import (
	"time"

	"doorsync/cloud/api"
	"doorsync/protocol"
)

// standing is whether a user may enter now, in a word: their state, unless their
// validity has not begun or has ended.
func standing(u api.User, now time.Time) string {
	if u.Validity == nil || u.State != protocol.StateActive {
		return u.State
	}
	v, err := protocol.ParseValidity(protocol.Value{First: u.Validity.ActivatesAt, Second: u.Validity.ExpiresAt})
	switch {
	case err != nil || v.Includes(now):
		return u.State
	case now.Before(v.ActivatesAt):
		return "not yet"
	default:
		return "expired"
	}
}
