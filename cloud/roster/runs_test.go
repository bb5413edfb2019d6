package roster_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Runs are kept, and mail of what an import did is in the outbox with it.
func TestRunsAndMails(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	c.addSource("hr", roster.GoneRemoveOnly)
	mails := func() (out []string) {
		must(t, c.Mails(ctx, 0, func(m roster.MailRow) bool { out = append(out, string(m.Mail)); return true }))
		return out
	}
	run := func(dry bool, words ...roster.Word) error {
		in, _ := c.plan("hr", words)
		in.Dry = dry
		in.Mail = func(e roster.Effect, u protocol.User, language string) []byte {
			if u.Value(protocol.FieldEmail).IsNull() {
				return nil
			}
			return fmt.Appendf(nil, "%s %s %s %s", e.Kind, u.ID, u.Value(protocol.FieldEmail).First, language)
		}
		_, _, err := c.carryOut(in)
		return err
	}
	one, two := row("S1", texts("user_id", "1", "email", "a@example.org")), row("S2", texts("user_id", "2"))
	one.Language = "de"
	must(t, run(true, one, two))
	if got := mails(); len(got) > 0 {
		t.Fatalf("a dry run writes to %v", got)
	}
	must(t, run(false, one, two))
	must(t, run(false, two))
	want := []string{"new 1 a@example.org de", "removed 1 a@example.org "}
	if got := mails(); !slices.Equal(got, want) {
		t.Fatalf("mails %q", got)
	}
	must(t, c.DropMail(ctx, 1))
	must(t, c.PutMails(ctx, []roster.MailRow{{ID: 2, Mail: []byte("marked")}, {Mail: []byte("report")}}))
	if got := mails(); !slices.Equal(got, []string{"marked", "report"}) {
		t.Fatalf("mails %q", got)
	}
	must(t, c.PutRun(ctx, roster.RunRow{Source: "hr", Number: 3, At: c.now, Report: []byte("failed")}))
	if err := c.PutRun(ctx, roster.RunRow{Source: "x", Number: 1}); !errors.Is(err, roster.ErrNotFound) {
		t.Fatal(err)
	}
	var numbers []uint64
	must(t, c.Runs(ctx, "hr", func(r roster.RunRow) bool { numbers = append(numbers, r.Number); return true }))
	if !slices.Equal(numbers, []uint64{3, 2, 1}) || c.sourceRow("hr").Runs != 3 {
		t.Fatalf("runs %v", numbers)
	}
	got, err := c.RunOf(ctx, "hr", 3)
	must(t, err)
	if string(got.Report) != "failed" || !got.At.Equal(c.now) {
		t.Fatalf("%+v", got)
	}
	if _, err := c.RunOf(ctx, "hr", 9); !errors.Is(err, roster.ErrNotFound) {
		t.Fatal(err)
	}
	log, err := c.Events(ctx, roster.EventQuery{User: "1", Oldest: true})
	must(t, err)
	if len(log) != 2 || log[0].Actor != "import hr, run 1 (anna)" || log[1].Event != protocol.EventOfficeDeleted {
		t.Fatalf("%+v", log)
	}
}

// The names of groups in a roster that was written before they were kept.
func TestGroupsOfBefore(t *testing.T) {
	c := newCenter(t, "A")
	c.put("1", roster.Patch{Join: []string{"Night Shift"}})
	set := []string{"Lab"}
	_, err := c.SetSite(t.Context(), anna, "A", roster.SiteSettings{Groups: &set})
	must(t, err)
	must(t, c.ForgetGroups(t.Context()))
	c.open()
	c.addSource("hr", roster.GoneRemoveOnly)
	got, _ := c.feed("hr", row("S1", texts("user_id", "2"), "night shift", "LAB"))
	wantKinds(t, got, roster.EffectNew)
	if g := c.user("2").User.Groups; !slices.Equal(g, []string{"Lab", "Night Shift"}) {
		t.Fatalf("groups %v", g)
	}
}
