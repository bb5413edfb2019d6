package uhpposim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"doorsync/firmware-bridge/uhppote/packet"
)

// state is the state file.
type state struct {
	Cards  []packet.Card  `json:"cards"` // by slot, deleted ones included
	Events []packet.Event `json:"events"`
	Mark   uint32         `json:"mark"`
}

func (c *Controller) load() error {
	b, err := os.ReadFile(c.opt.StateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the controller's memory: %w", err)
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read the controller's memory: %s: %w; remove the file to start with an empty controller", c.opt.StateFile, err)
	}
	for i, e := range s.Events {
		if e.Index != s.Events[0].Index+uint32(i) {
			return fmt.Errorf("read the controller's memory: %s: events are not in order; remove the file to start with an empty controller", c.opt.StateFile)
		}
	}
	for i, card := range s.Cards {
		c.table.slots = append(c.table.slots, card)
		if card.Number == packet.DeletedCard {
			c.table.free = append(c.table.free, i)
		} else {
			c.table.where[card.Number] = i
		}
	}
	c.events.events, c.events.mark = s.Events, s.Mark
	return nil
}

// save writes the state file in one rename. It holds PINs, so nobody else may
// read it. c.mu is held.
func (c *Controller) save() error {
	if c.opt.StateFile == "" {
		return nil
	}
	b, err := json.Marshal(state{Cards: c.table.slots, Events: c.events.events, Mark: c.events.mark})
	if err != nil {
		return fmt.Errorf("write the controller's memory: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.opt.StateFile), 0o700); err != nil {
		return fmt.Errorf("write the controller's memory: %w", err)
	}
	tmp := c.opt.StateFile + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("write the controller's memory: %w", err)
	}
	if err := os.Rename(tmp, c.opt.StateFile); err != nil {
		return fmt.Errorf("write the controller's memory: %w", err)
	}
	return nil
}
