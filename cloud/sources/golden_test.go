package sources_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
	"doorsync/protocol"
)

var update = flag.Bool("update", false, "write what the golden folders expect; look at what it wrote")

// golden is the case of a folder: what there is, and what is done, in order. The
// files beside it are what is exported; expected.json is what every import reports
// and what the roster is in the end.
type golden struct {
	About   string           `json:"about"`
	Sources []goldenSource   `json:"sources"`
	Order   []string         `json:"order,omitempty"`
	Fields  []goldenField    `json:"fields,omitempty"`
	Office  []goldenUser     `json:"office,omitempty"`
	Steps   []map[string]any `json:"-"`
	Raw     []goldenStep     `json:"steps"`
}

type goldenSource struct {
	Name     string          `json:"name"`
	Keys     []roster.Key    `json:"keys,omitempty"`
	Gone     roster.Gone     `json:"gone,omitempty"`
	IDsFrom  uint64          `json:"ids_from,omitempty"`
	Notify   bool            `json:"notify,omitempty"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

type goldenField struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Choices []string `json:"choices,omitempty"`
}

type goldenUser struct {
	ID     string                    `json:"id"`
	Values map[protocol.Field]string `json:"values,omitempty"`
	From   string                    `json:"activates_at,omitempty"`
	To     string                    `json:"expires_at,omitempty"`
	Cards  []uint64                  `json:"cards,omitempty"`
	Groups []string                  `json:"groups,omitempty"`
}

// goldenStep is one thing that is done; exactly one of the first five is set.
type goldenStep struct {
	Import string      `json:"import,omitempty"` // source
	Put    *goldenUser `json:"put,omitempty"`
	Delete string      `json:"delete,omitempty"`
	Merge  []string    `json:"merge,omitempty"`
	Revoke uint64      `json:"revoke,omitempty"` // card
	Decide *struct {
		Source string `json:"source"`
		SyncID string `json:"sync_id"`
		User   string `json:"user"`
	} `json:"decide,omitempty"`

	File     string `json:"file,omitempty"`
	Modified string `json:"modified,omitempty"`
	Skip     bool   `json:"skip_bad_rows,omitempty"`
	Confirm  uint64 `json:"confirm,omitempty"`
	Force    bool   `json:"force,omitempty"`
	Sent     bool   `json:"sent,omitempty"`
	Schedule bool   `json:"schedule,omitempty"`
}

// expected is what a case comes to.
type expected struct {
	Reports []sources.Report             `json:"reports"`
	Notices []string                     `json:"notices,omitempty"`
	Mails   []string                     `json:"mails,omitempty"`
	Roster  map[string]map[string]string `json:"roster"`
}

func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/golden/*/case.json")
	must(t, err)
	if len(cases) < 20 {
		t.Fatalf("found %d golden folders only", len(cases))
	}
	for _, file := range cases {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			playGolden(t, filepath.Dir(file))
		})
	}
}

func playGolden(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "case.json"))
	must(t, err)
	var c golden
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	must(t, d.Decode(&c))
	o := newOffice(t)
	c.prepare(t, o)
	var got expected
	for _, step := range c.Raw {
		o.now = o.now.Add(time.Minute)
		if step.Import == "" {
			step.act(t, o)
			continue
		}
		got.Reports = append(got.Reports, step.play(t, o, dir))
	}
	got.Roster, got.Notices = o.dump(), o.notices.told()
	must(t, o.roster.Mails(t.Context(), 0, func(m roster.MailRow) bool {
		got.Mails = append(got.Mails, string(m.Mail))
		return true
	}))
	compareGolden(t, filepath.Join(dir, "expected.json"), got)
}

func compareGolden(t *testing.T, file string, got expected) {
	t.Helper()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	must(t, e.Encode(got))
	if *update {
		must(t, os.WriteFile(file, text.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(want, text.Bytes()) {
		t.Errorf("differs from %s:\n%s", file, difference(string(want), text.String()))
	}
}

// difference shows lines that only one of two texts has.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out strings.Builder
	for _, line := range a {
		if !slices.Contains(b, line) {
			out.WriteString("- " + line + "\n")
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			out.WriteString("+ " + line + "\n")
		}
	}
	return out.String()
}

func (c *golden) prepare(t *testing.T, o *office) {
	t.Helper()
	for _, f := range c.Fields {
		must(t, o.roster.PutField(t.Context(), anna, protocol.Custom{Field: protocol.Field(f.Name), Type: protocol.CustomType(f.Type), Choices: f.Choices}))
	}
	for _, u := range c.Office {
		u.put(t, o)
	}
	for _, s := range c.Sources {
		o.add(s.Name, roster.SourceRow{Keys: s.Keys, Gone: s.Gone, IDsFrom: s.IDsFrom, Notify: s.Notify}, func(set *sources.Settings) {
			file := set.File
			if len(s.Settings) > 0 {
				must(t, json.Unmarshal(s.Settings, set))
			}
			set.File = file
		})
	}
	if len(c.Order) > 0 {
		rules := o.roster.Rules()
		rules.Order = nil
		for _, s := range c.Order {
			rules.Order = append(rules.Order, protocol.Source(s))
		}
		must(t, o.roster.SetOrder(t.Context(), anna, rules))
		must(t, o.roster.CatchUp(t.Context()))
	}
}

func (u *goldenUser) put(t *testing.T, o *office) {
	t.Helper()
	p := roster.Patch{Set: map[protocol.Field]protocol.Value{}, Join: u.Groups}
	for f, v := range u.Values {
		p.Set[f] = protocol.Text(v)
	}
	if u.From != "" || u.To != "" {
		p.Set[protocol.FieldValidity] = protocol.Value{First: u.From, Second: u.To}
	}
	for _, n := range u.Cards {
		p.Give = append(p.Give, protocol.Card(n))
	}
	o.now = o.now.Add(time.Second)
	_, err := o.roster.Put(t.Context(), anna, u.ID, p)
	must(t, err)
}

// act does what is no import.
func (s *goldenStep) act(t *testing.T, o *office) {
	t.Helper()
	switch {
	case s.Put != nil:
		s.Put.put(t, o)
	case s.Delete != "":
		must(t, o.roster.Delete(t.Context(), anna, s.Delete))
	case len(s.Merge) == 2:
		_, err := o.roster.Merge(t.Context(), anna, s.Merge[0], s.Merge[1])
		must(t, err)
	case s.Revoke != 0:
		must(t, o.roster.Revoke(t.Context(), anna, protocol.Card(s.Revoke).Key()))
	case s.Decide != nil:
		must(t, o.roster.Decide(t.Context(), anna, protocol.Source(s.Decide.Source), roster.IdentityOf(s.Decide.SyncID), s.Decide.User))
	default:
		t.Fatal("a step does nothing")
	}
}

// play imports, dry before: the dry run must tell what the run does, and change
// nothing.
func (s *goldenStep) play(t *testing.T, o *office, dir string) sources.Report {
	t.Helper()
	q := sources.Request{SkipBadRows: s.Skip, Confirm: s.Confirm, Force: s.Force, By: "anna"}
	if s.Schedule {
		q.By = ""
	}
	var text []byte
	if s.File != "" {
		var err error
		text, err = os.ReadFile(filepath.Join(dir, s.File))
		must(t, err)
	}
	at := o.now
	if s.Modified != "" {
		var err error
		at, err = time.Parse(time.RFC3339, s.Modified)
		must(t, err)
	}
	if file := o.path(s.Import + ".csv"); !s.Sent && s.File != "" {
		must(t, os.WriteFile(file, text, 0o600))
		must(t, os.Chtimes(file, at, at))
	}
	ask := func(q sources.Request) sources.Report {
		if s.Sent {
			q.Content, q.FileName = bytes.NewReader(text), s.File
		}
		r, err := o.Import(t.Context(), s.Import, q)
		must(t, err)
		o.clean()
		return r
	}
	before := o.dump()
	dry := q
	dry.Dry, dry.Confirm, dry.Force = true, 0, false
	would := ask(dry)
	if !equalJSON(t, before, o.dump()) {
		t.Errorf("the dry run of %s changed the roster", s.File)
	}
	did := ask(q)
	compareRuns(t, would, did)
	return plain(o, s, did)
}

// compareRuns holds a run against the dry one before it.
func compareRuns(t *testing.T, would, did sources.Report) {
	t.Helper()
	switch did.State {
	case sources.StateWaiting:
		if would.Why != did.Why || !strings.Contains(would.Failure, did.Failure) {
			t.Errorf("the run waits: %s; the dry run says %q", did.Failure, would.Failure)
		}
	case sources.StateUnchanged:
		if len(would.Effects) > 0 {
			t.Errorf("nothing is new, but the dry run tells %v", would.Effects)
		}
	default:
		if !equalJSON(t, would.Counts, did.Counts) || !equalJSON(t, would.Effects, did.Effects) || !equalJSON(t, would.Errors, did.Errors) {
			t.Errorf("dry run and run differ:\n%+v\n%+v", would.Effects, did.Effects)
		}
	}
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	one, err := json.Marshal(a)
	must(t, err)
	other, err := json.Marshal(b)
	must(t, err)
	return bytes.Equal(one, other)
}

// plain leaves out of a report what is never the same.
func plain(o *office, s *goldenStep, r sources.Report) sources.Report {
	r.File = strings.ReplaceAll(r.File, o.dir+string(filepath.Separator), "")
	r.Failure = strings.ReplaceAll(r.Failure, o.dir+string(filepath.Separator), "")
	r.Effects = slices.Clone(r.Effects)
	for i := range r.Effects {
		e := &r.Effects[i]
		e.Candidates = slices.Clone(e.Candidates)
		slices.SortFunc(e.Candidates, func(a, b roster.Candidate) int { return strings.Compare(a.UserID, b.UserID) })
		for k := range e.Candidates {
			e.Candidates[k].GUID = "…"
		}
	}
	return r
}
