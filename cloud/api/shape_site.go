package api

import "time"

// Site is one site and what is known of it.
type Site struct {
	Name       string    `json:"name" example:"LYON"`
	Mode       string    `json:"mode" enum:"off,all,all+readers,groups" doc:"In effect"`
	OwnMode    bool      `json:"own_mode" doc:"Set at the center; false leaves it to the site, then to the default"`
	Groups     []string  `json:"groups,omitempty" doc:"Access groups that open a door there, in mode groups"`
	Online     bool      `json:"online"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	Version    string    `json:"version,omitempty" doc:"Of the agent"`
	Taken      uint64    `json:"taken" doc:"The site's journal is taken in up to this entry"`
	Conflicts  int       `json:"conflicts" doc:"Users known there alone, who wait for a person's decision"`
	ClockAhead float64   `json:"clock_ahead,omitempty" doc:"Seconds by which the agent's clock is ahead of the center's"`
	Readers    []Reader  `json:"readers"`
}

// Reader is one reader's state, as its site tells it.
type Reader struct {
	Site     string    `json:"site,omitempty"`
	Name     string    `json:"name"`
	Driver   string    `json:"driver"`
	Address  string    `json:"address"`
	ReaderID string    `json:"reader_id,omitempty"`
	Model    string    `json:"model,omitempty"`
	Firmware string    `json:"firmware,omitempty"`
	State    string    `json:"state" doc:"in_sync, differs, syncing or offline"`
	Error    string    `json:"error,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Users    int       `json:"users" doc:"That the reader holds"`
	Add      int       `json:"add" doc:"Users it still has to get"`
	Update   int       `json:"update"`
	Delete   int       `json:"delete"`
	Held     int       `json:"held" doc:"Deletes that wait for a person"`
	GivenUp  int       `json:"given_up" doc:"Writes given up"`
	Unknown  int       `json:"unknown" doc:"Left alone: nobody knows them"`
	Synced   time.Time `json:"synced,omitzero" doc:"When the whole table last agreed"`
}

// SiteList is all sites.
type SiteList struct {
	Sites []Site `json:"sites"`
}

// ReaderList is all readers of the sites asked for.
type ReaderList struct {
	Readers []Reader `json:"readers"`
}

// NewSite makes a site known.
type NewSite struct {
	Name   string   `json:"name" maxLength:"64"`
	Mode   string   `json:"mode,omitempty" enum:"off,all,all+readers,groups" doc:"Without it the center's default holds"`
	Groups []string `json:"groups,omitempty"`
}

// SiteKey is the answer to NewSite: the one time that the key is shown.
type SiteKey struct {
	Site Site   `json:"site"`
	Key  string `json:"key" doc:"For the agent's configuration; only its hash is kept"`
}

// SiteChange changes what a site gets.
type SiteChange struct {
	Mode   *string   `json:"mode,omitempty" enum:"off,all,all+readers,groups,default"`
	Groups *[]string `json:"groups,omitempty"`
}

// Sources is how what several sources say is settled.
type Sources struct {
	Order     []string            `json:"order" minItems:"1" doc:"Highest priority first" example:"[\"office\",\"readers\"]"`
	Overrides map[string][]string `json:"overrides,omitempty" doc:"By field: sources that come before the order"`
	Settle    string              `json:"settle,omitempty" enum:"first,latest" doc:"Which of several edits at readers stands"`
	SettleBy  map[string]string   `json:"settle_by,omitempty" doc:"By field"`
	Withdraw  bool                `json:"withdraw,omitempty" doc:"Removing a credential at a reader takes back what readers gave"`
}

// SyncOrder asks for a sync now.
type SyncOrder struct {
	Site   string `json:"site"`
	Reader string `json:"reader,omitempty" doc:"One reader; without it all of the site"`
}

// Done tells that an order was carried out or handed on.
type Done struct {
	Done string `json:"done"`
}

// Event is one line of the journal of a site or of the center.
type Event struct {
	Seq      string    `json:"seq" doc:"Give it as after to go on from here"`
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	Site     string    `json:"site" doc:"Empty for the center's own"`
	Number   uint64    `json:"number" doc:"In the journal of the site"`
	Event    string    `json:"event" example:"enrolled"`
	Title    string    `json:"title" example:"User enrolled (Reader)"`
	User     string    `json:"user,omitempty"`
	GUID     string    `json:"guid,omitempty"`
	Actor    string    `json:"actor,omitempty" doc:"Who did it at the office, and from where"`
	Reader   string    `json:"reader,omitempty"`
	ReaderID string    `json:"reader_id,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// EventPage is some events, in order.
type EventPage struct {
	Events []Event `json:"events"`
	Next   string  `json:"next,omitempty" doc:"Give it as after to go on; empty at the end"`
}

// Health tells whether the center does its work.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Version tells what runs.
type Version struct {
	Version  string `json:"version"`
	Roster   string `json:"roster" doc:"ID of the roster that revisions count in"`
	Revision uint64 `json:"revision" doc:"Of the roster now"`
	Broker   string `json:"broker,omitempty" doc:"Where sites connect"`
}
