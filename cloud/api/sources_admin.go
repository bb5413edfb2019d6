package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// SourcePath names one source.
type SourcePath struct {
	Name string `path:"name" maxLength:"64"`
}

func (s *service) sourceAdmin(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/sources/{name}", "get-source", "Show one source"),
		func(ctx context.Context, in *SourcePath) (*answer[Source], error) {
			v, err := s.source(ctx, in.Name)
			return reply(s, ctx, v, err)
		})
	huma.Register(h, operation(h, http.MethodPost, "/sources", "add-source", "Add a source, above readers in the order"), s.addSource)
	huma.Register(h, operation(h, http.MethodPatch, "/sources/{name}", "set-source", "Change a source"), s.setSource)
	huma.Register(h, operation(h, http.MethodDelete, "/sources/{name}", "remove-source", "Withdraw all that a source said, and forget it"), s.removeSource)
}

// allSources are those in the order, what is built in included.
func (s *service) allSources(ctx context.Context) ([]Source, error) {
	status, err := s.importer.Status(ctx)
	if err != nil {
		return nil, err
	}
	rows := s.roster.SourceRows()
	out := []Source{}
	for _, name := range s.roster.Rules().Order {
		row := roster.SourceRow{Name: name}
		if i := slices.IndexFunc(rows, func(r roster.SourceRow) bool { return r.Name == name }); i >= 0 {
			row = rows[i]
		}
		v, err := sourceOf(row)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(status, func(st SourceStatus) bool { return st.Source == v.Name }); i >= 0 {
			v.Status = &status[i]
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *service) source(ctx context.Context, name string) (Source, error) {
	all, err := s.allSources(ctx)
	if err != nil {
		return Source{}, err
	}
	if i := slices.IndexFunc(all, func(v Source) bool { return v.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Source{}, unknownSource(name)
}

func unknownSource(name string) error {
	return &Fault{
		Status: http.StatusNotFound, Code: CodeNotFound, Message: fmt.Sprintf("there is no source %q", name),
		Hint: "sources list shows the sources there are",
	}
}

func sourceOf(row roster.SourceRow) (Source, error) {
	v := Source{Name: string(row.Name), Kind: row.Kind, Keys: []string{}, Gone: string(row.Gone), IDsFrom: row.IDsFrom, Notify: row.Notify}
	for _, k := range row.Keys {
		v.Keys = append(v.Keys, string(k))
	}
	if row.Added > 0 {
		v.Added = time.UnixMilli(row.Added).UTC()
	}
	if row.Kind == "" || len(row.Settings) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(row.Settings, &v.CSV); err != nil {
		return v, fmt.Errorf("settings of source %s: %w", row.Name, err)
	}
	return v, nil
}

func (s *service) addSource(ctx context.Context, in *struct{ Body NewSource }) (*answer[Source], error) {
	row := roster.SourceRow{Name: protocol.Source(in.Body.Name), Kind: in.Body.Kind, Gone: roster.GoneRemoveOnly}
	change := in.Body.SourceChange
	if change.CSV == nil {
		change.CSV = &CSVChange{}
	}
	if err := s.change(&row, change); err != nil {
		return nil, err
	}
	if err := s.roster.AddSource(ctx, actor(ctx), row); err != nil {
		return nil, s.fault(ctx, err)
	}
	v, err := s.source(ctx, in.Body.Name)
	return reply(s, ctx, v, err)
}

func (s *service) setSource(ctx context.Context, in *struct {
	SourcePath
	Body SourceChange
},
) (*answer[Source], error) {
	row, err := s.row(in.Name)
	if err != nil {
		return nil, err
	}
	if err := s.change(&row, in.Body); err != nil {
		return nil, err
	}
	if err := s.roster.SetSource(ctx, actor(ctx), row); err != nil {
		return nil, s.fault(ctx, err)
	}
	v, err := s.source(ctx, in.Name)
	return reply(s, ctx, v, err)
}

// row finds a source as the roster keeps it. What is built in may have none yet.
func (s *service) row(name string) (roster.SourceRow, error) {
	rows := s.roster.SourceRows()
	if i := slices.IndexFunc(rows, func(r roster.SourceRow) bool { return string(r.Name) == name }); i >= 0 {
		return rows[i], nil
	}
	if src := protocol.Source(name); src == protocol.SourceOffice || src == protocol.SourceReaders {
		return roster.SourceRow{Name: src}, nil
	}
	return roster.SourceRow{}, unknownSource(name)
}

// change applies what a request says to a source.
func (s *service) change(row *roster.SourceRow, c SourceChange) error {
	builtIn := row.Kind == ""
	if builtIn && (c.Gone != nil || c.IDsFrom != nil || c.Notify != nil || c.CSV != nil) {
		return invalid("body", "of "+string(row.Name)+" only the keys can be set", "it is built in, and read from no file")
	}
	if c.Keys != nil {
		row.Keys = nil
		for _, k := range *c.Keys {
			row.Keys = append(row.Keys, roster.Key(k))
		}
	}
	if c.Gone != nil {
		row.Gone = roster.Gone(*c.Gone)
	}
	put(&row.IDsFrom, c.IDsFrom)
	put(&row.Notify, c.Notify)
	if c.CSV == nil {
		return nil
	}
	settings, err := s.importer.Settings(row.Settings, *c.CSV)
	if err != nil {
		return invalid("body.csv", err.Error(), "")
	}
	row.Settings = settings
	return nil
}

// removal is a request to remove a source, or to tell what that would do.
type removal struct {
	SourcePath
	DryRun bool `query:"dry_run" doc:"Only tell what would be done"`
}

func (s *service) removeSource(ctx context.Context, in *removal) (*answer[Preview], error) {
	out, err := newPreview(), error(nil)
	if in.DryRun {
		out.Counts, err = s.roster.PreviewRemoveSource(ctx, protocol.Source(in.Name), out.gather)
	} else {
		err = s.roster.RemoveSource(ctx, actor(ctx), protocol.Source(in.Name), out.gather)
	}
	return reply(s, ctx, *out, err)
}
