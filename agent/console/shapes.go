package console

import (
	"encoding/json"
	"time"

	"doorsync/agent/journal"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Status is how the agent stands.
type Status struct {
	Site    string             `json:"site"`
	Version string             `json:"version"`
	Started time.Time          `json:"started"`
	Mode    string             `json:"mode"`
	Journal JournalStatus      `json:"journal"`
	Center  json.RawMessage    `json:"center,omitempty"` // as the uplink tells it; absent without a center
	Readers []wire.ReaderState `json:"readers"`
}

// JournalStatus is where the journal stands.
type JournalStatus struct {
	Epoch     string `json:"epoch"`
	Oldest    uint64 `json:"oldest"`
	Last      uint64 `json:"last"`
	Confirmed uint64 `json:"confirmed"`
	Revision  uint64 `json:"revision"`
	Roster    string `json:"roster,omitempty"`
}

// Entry is one line of the journal as people see it.
type Entry struct {
	Number   uint64         `json:"number"`
	Time     time.Time      `json:"time"`
	Event    protocol.Event `json:"event"`
	Title    string         `json:"title"`
	Origin   string         `json:"origin"`
	Reader   string         `json:"reader,omitempty"`
	ReaderID string         `json:"reader_id,omitempty"`
	UserID   string         `json:"user_id,omitempty"`
	Revision uint64         `json:"revision"`
	Detail   string         `json:"detail,omitempty"`
}

// Shape is an entry for people.
func Shape(e protocol.Entry) Entry {
	return Entry{
		Number: e.Number, Time: e.Time(), Event: e.Event, Title: e.Event.Title(), Origin: journal.Origin(e.Event),
		Reader: e.Reader, ReaderID: e.ReaderID, UserID: e.UserID, Revision: e.Revision, Detail: e.Detail,
	}
}

// User is one user as in effect at the site. Secrets are masked.
type User struct {
	ID          string                    `json:"id"`
	Aliases     []string                  `json:"aliases,omitempty"`
	GUID        string                    `json:"guid,omitempty"`
	Name        string                    `json:"name,omitempty"`
	Values      map[protocol.Field]string `json:"values,omitempty"`
	Credentials []string                  `json:"credentials,omitempty"`
	Groups      []string                  `json:"groups,omitempty"`
	Pending     bool                      `json:"pending"`            // edited here, and the center has not taken that in
	Conflict    bool                      `json:"conflict,omitempty"` // another user has the ID at the center
}

// ShapeUser is a user for people.
func ShapeUser(v journal.View) User {
	u := User{
		ID: v.User.ID, GUID: v.GUID, Name: v.User.FullName(), Groups: v.User.Groups,
		Pending: v.Pending, Conflict: v.Record.Site != "", Values: map[protocol.Field]string{},
	}
	for _, id := range v.IDs {
		if id != u.ID {
			u.Aliases = append(u.Aliases, id)
		}
	}
	for f, value := range v.User.Values {
		u.Values[f] = f.Show(value)
	}
	for _, c := range v.User.Credentials {
		u.Credentials = append(u.Credentials, c.String())
	}
	return u
}

// SyncRequest asks to put readers in line now.
type SyncRequest struct {
	Reader         string `json:"reader,omitempty"` // "": all
	ConfirmDeletes bool   `json:"confirm_deletes,omitempty"`
	Restore        bool   `json:"restore,omitempty"`
	By             string `json:"by,omitempty"`
}

// SyncResult is how one reader stands after a sync.
type SyncResult struct {
	wire.ReaderState
	Failed string `json:"failed,omitempty"`
}

// RetryRequest asks to try again what was given up.
type RetryRequest struct {
	Reader string `json:"reader,omitempty"` // "": of all readers
	User   string `json:"user,omitempty"`   // "": of all users
}

// RetryResult is how many writes are tried again.
type RetryResult struct {
	Retried int `json:"retried"`
}

// Progress is how far a verification has come; the last one has the Report.
type Progress struct {
	Done   uint64                `json:"done"`
	Total  uint64                `json:"total"`
	Report *journal.VerifyReport `json:"report,omitempty"`
	Failed string                `json:"failed,omitempty"`
}

// failure is the body of an answer that is none.
type failure struct {
	Error string `json:"error"`
}
