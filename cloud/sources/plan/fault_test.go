package plan_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/plan"
	"doorsync/protocol"
)

var errTorn = errors.New("the snapshot is torn")

// torn is a world of which one question fails.
type torn struct {
	*world
	question string
	asked    bool
}

func (w *torn) fails(question string) error {
	if w.question == question {
		w.asked = true
		return errTorn
	}
	return nil
}

func (w *torn) Named(after roster.Identity, fn func(roster.SourceUser) bool) error {
	return errors.Join(w.world.Named(after, fn), w.fails("named"))
}

func (w *torn) NamedBy(guid string) ([]roster.SourceUser, error) {
	out, err := w.world.NamedBy(guid)
	return out, errors.Join(err, w.fails("named by"))
}

func (w *torn) Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error {
	return errors.Join(w.world.Keys(from, fn), w.fails("keys"))
}

func (w *torn) KeyHolders(k roster.KeyHash) ([]string, error) {
	out, err := w.world.KeyHolders(k)
	return out, errors.Join(err, w.fails("holders"))
}

func (w *torn) Candidate(guid string, k roster.Key, value string) (roster.Candidate, bool, error) {
	c, ok, err := w.world.Candidate(guid, k, value)
	return c, ok, errors.Join(err, w.fails("candidate"))
}

// small is a world in which every question is asked: Ann has two rows, one of them
// changed, and a new row is like Bob.
func small() *world {
	bob := user{values: map[roster.Key]map[string]bool{roster.KeyEmail: {"bob@x.org": true}}}
	return &world{
		users: map[string]user{guid(1): {}, guid(2): bob},
		named: []roster.SourceUser{
			{Identity: roster.IdentityOf("r1"), Digest: 1, GUID: guid(1)},
			{Identity: roster.IdentityOf("r2"), Digest: 1, GUID: guid(1)},
		},
		rows: []roster.Word{text(1, "r1", "", "Ann", 0), text(2, "r2", "", "Ann", 0), text(3, "r3", "Bob@x.org", "", 0)},
		keys: []roster.Key{roster.KeyEmail},
	}
}

// TestRosterFails has each question to the roster fail: no plan comes of it, and no
// file is left.
func TestRosterFails(t *testing.T) {
	for _, question := range []string{"named", "named by", "keys", "holders", "candidate", "a GUID that is none", "a canceled context"} {
		t.Run(question, func(t *testing.T) {
			dir := t.TempDir()
			w := &torn{world: small(), question: question}
			w.rows[0].Digest, w.rows[1].Digest, w.rows[2].Digest = 2, 1, 1
			few, want := 100, errTorn
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch question {
			case "keys":
				few = 0
				for i := range 20_001 { // too many to be looked up one by one
					w.rows = append(w.rows, text(4+i, "x"+guid(i), guid(i), "", 0))
				}
			case "a GUID that is none":
				w.named[0].GUID, want = "Ann", nil
			case "a canceled context":
				cancel()
				want = context.Canceled
			}
			f := w.file(t, dir, 1<<16)
			_, err := plan.Make(ctx, w, f, plan.Options{Dir: dir, Keys: w.keys, Few: few})
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			if want == errTorn && !w.asked {
				t.Error("the question was never asked")
			}
			must(t, f.Index.Close())
			must(t, f.Rows.Close())
			if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// TestCounts says what the numbers of a plan mean.
func TestCounts(t *testing.T) {
	w := small()
	w.rows[0].Digest, w.rows[1].Digest, w.rows[2].Digest = 2, 1, 1
	w.named = append(w.named,
		roster.SourceUser{Identity: roster.IdentityOf("gone"), Digest: 1, GUID: guid(3)},
		roster.SourceUser{Identity: roster.IdentityOf("absent"), Digest: roster.DigestAbsent, GUID: guid(4)},
		roster.SourceUser{Identity: roster.IdentityOf("refused"), Digest: 0, GUID: guid(5)},
		roster.SourceUser{Identity: roster.IdentityOf("nobody known"), GUID: ""},
		roster.SourceUser{Identity: roster.IdentityOf("wrong"), Digest: 1, GUID: guid(6)})
	w.rows = append(w.rows, text(4, "refused", "", "", 0), text(5, "nobody known", "", "", 0))
	w.bad = []roster.Identity{roster.IdentityOf("wrong"), roster.IdentityOf("wrong and new")}
	dir := t.TempDir()
	p, err := plan.Make(t.Context(), w, w.file(t, dir, 0), plan.Options{Dir: dir, Keys: w.keys})
	must(t, err)
	got := [...]int{p.Known, p.Changed, p.Lost, p.Gone, p.Unchanged, p.New, p.Undecided, p.Held, p.Touched()}
	want := [...]int{5, 1, 1, 1, 1, 2, 0, 2, 2}
	if got != want {
		t.Errorf("known, changed, lost, gone, unchanged, new, undecided, held, touched: %v, want %v", got, want)
	}
	must(t, p.Close())
}

// TestBy tells by which key somebody was found.
func TestBy(t *testing.T) {
	w := small()
	w.keys = []roster.Key{roster.KeyFullName, roster.KeyEmail}
	w.rows[0].Digest, w.rows[1].Digest = 2, 1
	w.rows = append(w.rows, text(4, "r4", "", "ann", 0))
	w.rows[3].Values[protocol.FieldLastName] = protocol.Text(" ")
	dir := t.TempDir()
	p, err := plan.Make(t.Context(), w, w.file(t, dir, 0), plan.Options{Dir: dir, Keys: w.keys})
	must(t, err)
	got := map[string]roster.Key{}
	for one, err := range p.Persons() {
		must(t, err)
		got[one.GUID] = one.By
	}
	if len(got) != 2 || got[guid(1)] != roster.KeyFullName || got[guid(2)] != roster.KeyEmail {
		t.Errorf("found by %v", got)
	}
	must(t, p.Close())
}
