package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// EventFilter selects events.
type EventFilter struct {
	Since  time.Time `query:"since" doc:"From this time on"`
	Until  time.Time `query:"until" doc:"Before this time"`
	Site   string    `query:"site" doc:"Only this site; - is the office"`
	User   string    `query:"user" doc:"Only this user, by user ID or GUID"`
	Reader string    `query:"reader"`
	Event  string    `query:"event" example:"enrolled"`
	After  string    `query:"after" pattern:"^[0-9]*$" maxLength:"20" doc:"The seq to go on from"`
}

func (f EventFilter) query() roster.EventQuery {
	after, _ := strconv.ParseUint(f.After, 10, 64) // digits, or empty
	return roster.EventQuery{
		Since: f.Since, Until: f.Until, Site: f.Site, User: f.User, Reader: f.Reader,
		Event: protocol.Event(f.Event), After: after, Oldest: true,
	}
}

func (s *service) eventRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/events", "list-events", "List what happened, at all sites and at the office"), s.listEvents)
}

func (s *service) listEvents(ctx context.Context, in *struct {
	EventFilter
	Newest bool `query:"newest" doc:"Newest first"`
	Limit  int  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
},
) (*answer[EventPage], error) {
	q := in.query()
	q.Limit, q.Oldest = in.Limit, !in.Newest
	list, err := s.roster.Events(ctx, q)
	out := EventPage{Events: make([]Event, 0, len(list))}
	for _, e := range list {
		out.Events = append(out.Events, eventOf(e))
	}
	if len(list) == in.Limit {
		out.Next = out.Events[len(list)-1].Seq
	}
	return reply(s, ctx, out, err)
}

func eventOf(e roster.Event) Event {
	out := Event{
		Seq: strconv.FormatUint(e.Seq, 10), ID: e.ID.String(), Time: e.At.UTC(), Site: e.Site, Number: e.Number,
		Event: string(e.Event), Title: e.Event.Title(), User: e.UserID, GUID: e.GUID, Reader: e.Reader,
		ReaderID: e.ReaderID, Detail: e.Detail, Actor: e.Actor,
	}
	return out
}
