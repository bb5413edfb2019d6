package exchange

import (
	"errors"
	"maps"
	"sync"

	"doorsync/protocol/wire"
)

// Why a message was dropped.
const (
	DropMalformed = "malformed"
	DropTooLarge  = "too_large"
	DropVersion   = "later_version"
	DropForeign   = "foreign_topic"
	DropUnknown   = "unknown_site"
	DropKind      = "unknown_kind"
	DropSession   = "other_session"
	DropOverflow  = "overflow"
)

// names is how many names of strangers are remembered, so that each is logged
// once.
const names = 1000

// counts counts what was dropped, and remembers what was logged.
type counts struct {
	mu      sync.Mutex
	heard   uint64
	dropped map[string]uint64            // by reason
	bySite  map[string]map[string]uint64 // of known sites
	logged  map[string]bool
}

// Counts are the messages since the start.
type Counts struct {
	Heard   uint64                       `json:"heard"`
	Dropped map[string]uint64            `json:"dropped"` // by reason
	BySite  map[string]map[string]uint64 `json:"by_site"`
}

// Counts returns the messages since the start.
func (x *Exchange) Counts() Counts {
	c := &x.count
	c.mu.Lock()
	defer c.mu.Unlock()
	out := Counts{Heard: c.heard, Dropped: maps.Clone(c.dropped), BySite: map[string]map[string]uint64{}}
	for s, m := range c.bySite {
		out.BySite[s] = maps.Clone(m)
	}
	return out
}

// drop counts a message that is of no use and logs the first of its kind.
func (x *Exchange) drop(site, reason string, known bool, err error) {
	if x.count.drop(site, reason, known) && reason != DropSession {
		x.Logger.Warn("message dropped; further ones of this kind are only counted",
			"site", site, "reason", reason, "error", err)
	}
}

func (c *counts) drop(site, reason string, known bool) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped == nil {
		c.dropped, c.bySite, c.logged = map[string]uint64{}, map[string]map[string]uint64{}, map[string]bool{}
	}
	c.dropped[reason]++
	if known {
		if c.bySite[site] == nil {
			c.bySite[site] = map[string]uint64{}
		}
		c.bySite[site][reason]++
	}
	key := site + " " + reason
	first = !c.logged[key] && len(c.logged) < names
	if first {
		c.logged[key] = true
	}
	return first
}

// reason names what Decode complains of.
func reason(err error) string {
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		return DropTooLarge
	case errors.Is(err, wire.ErrVersion):
		return DropVersion
	default:
		return DropMalformed
	}
}
