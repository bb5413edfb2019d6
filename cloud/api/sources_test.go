package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"doorsync/cloud/api"
	"doorsync/cloud/roster"
)

func TestSources(t *testing.T) {
	o := newOffice(t)
	file, keys := "/srv/users.csv", []string{"email", "full_name"}
	s, err := o.AddSource(t.Context(), api.NewSource{Name: "hr", Kind: "csv", SourceChange: api.SourceChange{Keys: &keys, CSV: &api.CSVChange{File: &file}}})
	if err != nil || s.CSV == nil || s.CSV.File != file || s.CSV.Interval != "1h" || s.Gone != string(roster.GoneRemoveOnly) || len(s.Keys) != 2 {
		t.Fatalf("got %+v, %v", s, err)
	}
	list, err := o.Sources(t.Context())
	if err != nil || strings.Join(list.Order, " ") != "office hr readers" || len(list.List) != 3 {
		t.Fatalf("got %+v, %v", list, err)
	}
	if hr := list.List[1]; hr.Status == nil || !hr.Status.Overdue || list.List[0].Status != nil {
		t.Errorf("got %+v", list.List)
	}
	gone, zone, from := "keep", "Europe/Berlin", uint64(5000)
	s, err = o.SetSource(t.Context(), "hr", api.SourceChange{Gone: &gone, IDsFrom: &from, CSV: &api.CSVChange{Zone: &zone}})
	if err != nil || s.Gone != gone || s.IDsFrom != from || s.CSV.Format.Zone != zone || s.CSV.File != file || len(s.Keys) != 2 {
		t.Errorf("what was not named changed, or what was did not: %+v, %v", s, err)
	}
	if s, err = o.SetSource(t.Context(), "office", api.SourceChange{Keys: &keys}); err != nil || len(s.Keys) != 2 {
		t.Errorf("keys of the office: %+v, %v", s, err)
	}
	if _, err := o.RemoveSource(t.Context(), "hr", true); err != nil {
		t.Error(err)
	}
	if _, err := o.Source(t.Context(), "hr"); err != nil {
		t.Errorf("a dry run removed the source: %v", err)
	}
	if _, err := o.RemoveSource(t.Context(), "hr", false); err != nil {
		t.Error(err)
	}
	if _, err := o.Source(t.Context(), "hr"); err == nil {
		t.Error("the source was not removed")
	}
}

func TestSourceRefusals(t *testing.T) {
	o := newOffice(t)
	if _, err := o.AddSource(t.Context(), api.NewSource{Name: "hr", Kind: "csv"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, path, body, code string
		status                   int
	}{
		"a name twice":           {"POST", "/sources", `{"name":"hr","kind":"csv"}`, api.CodeExists, 409},
		"a built-in name":        {"POST", "/sources", `{"name":"office","kind":"csv"}`, api.CodeExists, 409},
		"a bad name":             {"POST", "/sources", `{"name":"a b","kind":"csv"}`, api.CodeInvalid, 422},
		"an unknown kind":        {"POST", "/sources", `{"name":"x","kind":"ldap"}`, api.CodeInvalid, 422},
		"an unknown key":         {"POST", "/sources", `{"name":"x","kind":"csv","keys":["shoe"]}`, api.CodeInvalid, 422},
		"an unknown end":         {"PATCH", "/sources/hr", `{"gone":"perhaps"}`, api.CodeInvalid, 422},
		"a bad interval":         {"PATCH", "/sources/hr", `{"csv":{"interval":"soon"}}`, api.CodeInvalid, 422},
		"a guard above all":      {"PATCH", "/sources/hr", `{"csv":{"guard_percent":101}}`, api.CodeInvalid, 422},
		"a file of the office":   {"PATCH", "/sources/office", `{"csv":{"file":"/x"}}`, api.CodeInvalid, 422},
		"change of nobody":       {"PATCH", "/sources/none", `{"gone":"keep"}`, api.CodeNotFound, 404},
		"removal of nobody":      {"DELETE", "/sources/none", ``, api.CodeNotFound, 404},
		"removal of the office":  {"DELETE", "/sources/office", ``, api.CodeNotFound, 404},
		"no such run":            {"GET", "/sources/hr/runs/4", ``, api.CodeNotFound, 404},
		"nothing decided":        {"POST", "/sources/hr/decide", `{"sync_id":"1"}`, api.CodeInvalid, 422},
		"both decided":           {"POST", "/sources/hr/decide", `{"sync_id":"1","user":"4","new":true}`, api.CodeInvalid, 422},
		"decided for nobody":     {"POST", "/sources/hr/decide", `{"sync_id":"1","user":"4"}`, api.CodeNotFound, 404},
		"split two ways":         {"POST", "/users/4/split", `{"merged":"5","source":"hr"}`, api.CodeInvalid, 422},
		"split without a source": {"POST", "/users/4/split", `{"sync_id":"5"}`, api.CodeInvalid, 422},
		"split of nobody":        {"POST", "/preview/users/4/split", `{}`, api.CodeNotFound, 404},
		"merge of nobody":        {"POST", "/preview/merge", `{"users":["4","5"]}`, api.CodeNotFound, 404},
		"no such conflict":       {"POST", "/preview/conflicts/x/resolve", `{"renumber":"5"}`, api.CodeNotFound, 404},
		"an unknown order":       {"POST", "/preview/sources", `{"order":["hr","office","readers","x"]}`, api.CodeInvalid, 422},
		"a bad field":            {"PUT", "/fields/Big", `{"type":"text"}`, api.CodeInvalid, 422},
		"a choice of nothing":    {"PUT", "/fields/floor", `{"type":"choice"}`, api.CodeInvalid, 422},
		"no such mail":           {"DELETE", "/mail/9", ``, api.CodeNotFound, 404},
		"no such mail to resend": {"POST", "/mail/9/resend", ``, api.CodeNotFound, 404},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := o.raw(t, c.method, "/api/v1"+c.path, secret, c.body)
			if status != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) {
				t.Errorf("%d %s, want %d %s", status, body, c.status, c.code)
			}
		})
	}
}

func TestRunsComeInPages(t *testing.T) {
	o := newOffice(t)
	for n := range uint64(5) {
		o.importer.runs = append(o.importer.runs, api.Run{Source: "hr", Run: n + 1, State: "done"})
	}
	var seen []uint64
	for before := uint64(0); ; {
		page, err := o.Runs(t.Context(), "hr", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			seen = append(seen, r.Run)
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if len(seen) != 5 || seen[0] != 5 || seen[4] != 1 {
		t.Errorf("got %v", seen)
	}
	if r, err := o.Run(t.Context(), "hr", 3); err != nil || r.Run != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestUndecided(t *testing.T) {
	o := newOffice(t)
	if _, err := o.AddSource(t.Context(), api.NewSource{Name: "hr", Kind: "csv"}); err != nil {
		t.Fatal(err)
	}
	if all, err := o.Undecided(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("of a source that was never imported: %+v, %v", all, err)
	}
	two := []roster.Candidate{{GUID: "g1", UserID: "1", By: roster.KeyEmail}, {GUID: "g2", UserID: "2", By: roster.KeyFullName}}
	o.importer.runs = []api.Run{{Source: "hr", Run: 1, State: "done", Effects: []roster.Effect{
		{Kind: roster.EffectNew, Name: "Somebody"}, {Kind: roster.EffectUndecided, SyncID: "4711", Name: "Anna Meyer", Line: 3, Candidates: two},
	}}}
	all, err := o.Undecided(t.Context())
	if err != nil || len(all) != 1 || all[0].SyncID != "4711" || all[0].Line != 3 || len(all[0].Candidates) != 2 {
		t.Errorf("got %+v, %v", all, err)
	}
	if err := o.Decide(t.Context(), "hr", api.Decision{SyncID: "4711", New: true}); err != nil {
		t.Error(err)
	}
}

func TestPreviewsChangeNothing(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"4", "5"} {
		if _, err := o.Put(t.Context(), id, api.Patch{Set: map[string]string{"title": "of " + id}, Give: []api.NewCredential{{Kind: "card", Number: "65" + id}}}); err != nil {
			t.Fatal(err)
		}
	}
	before := o.roster.Revision()
	p, err := o.PreviewMerge(t.Context(), "4", "5")
	if err != nil || len(p.Effects) != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
	list, err := o.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list.Order = []string{"readers", "office"}
	if _, err = o.PreviewSources(t.Context(), list.Sources); err != nil {
		t.Error(err)
	}
	if o.roster.Revision() != before {
		t.Error("a preview changed the roster")
	}
	if _, err := o.Merge(t.Context(), "4", "5"); err != nil {
		t.Fatal(err)
	}
	before = o.roster.Revision()
	if p, err = o.PreviewSplit(t.Context(), "4", api.Split{}); err != nil || len(p.Effects) != 2 || p.Effects[0].UserID != "5" {
		t.Errorf("got %+v, %v", p, err)
	}
	if o.roster.Revision() != before {
		t.Error("a preview changed the roster")
	}
	if u, err := o.Split(t.Context(), "4", api.Split{}); err != nil || u.ID != "5" {
		t.Errorf("got %+v, %v", u, err)
	}
}

func TestFieldsAndMail(t *testing.T) {
	o := newOffice(t)
	if _, err := o.PutField(t.Context(), "floor", api.FieldDefinition{Type: "choice", Choices: []string{"ground", "first"}}); err != nil {
		t.Fatal(err)
	}
	if all, err := o.Fields(t.Context()); err != nil || len(all) != 1 || all[0].Name != "floor" || len(all[0].Choices) != 2 {
		t.Errorf("got %+v, %v", all, err)
	}
	if err := o.DropField(t.Context(), "custom:floor"); err != nil {
		t.Error(err)
	}
	if mails, err := o.Mails(t.Context()); err != nil || len(mails) != 2 || mails[0].Reason == "" {
		t.Errorf("got %+v, %v", mails, err)
	}
	if err := errors.Join(o.ResendMail(t.Context(), 1), o.DropMail(t.Context(), 2)); err != nil {
		t.Error(err)
	}
	if len(o.outbox.resent) != 1 || o.outbox.resent[0] != 1 || len(o.outbox.dropped) != 1 || o.outbox.dropped[0] != 2 {
		t.Errorf("got %+v", o.outbox)
	}
	if status, body := o.raw(t, "POST", "/api/v1/mail/0/resend", secret, ""); status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", status, body)
	}
}
