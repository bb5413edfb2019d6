package main

import (
	"context"
	"encoding/json"
	"fmt"

	"doorsync/packaging/rig"
)

// standing is what the soak looks at of "doorsync-agent status --json".
type standing struct {
	Journal struct {
		Last      uint64 `json:"last"`
		Confirmed uint64 `json:"confirmed"`
	} `json:"journal"`
	Readers []struct {
		Name  string `json:"name"`
		State string `json:"state"`
		Held  int    `json:"held"`
	} `json:"readers"`
}

func status(ctx context.Context, s *rig.Site) (standing, error) {
	var st standing
	out, err := s.Command(ctx, "status", "--json")
	if err != nil {
		return st, err
	}
	if err := json.Unmarshal(out, &st); err != nil {
		return st, fmt.Errorf("read status of %s: %w", s.Name, err)
	}
	return st, nil
}

// inReach tells that the agent has all its readers.
func (s standing) inReach() bool {
	for _, r := range s.Readers {
		if r.State == "offline" {
			return false
		}
	}
	return len(s.Readers) == len(terminalNames())+1 // the controller
}
