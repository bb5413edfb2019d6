package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// somethingOfEverything is a small journal in which no part is empty: users of
// the center's, newcomers, edits laid over both, rows, cursors, what was given
// up, verdicts, revocations, and a snapshot under way.
func somethingOfEverything(t *testing.T) []byte {
	t.Helper()
	s := open1(t)
	salt := []byte("salt")
	s.apply(wire.Changes{
		Roster: "r", To: 4,
		Users: []wire.Change{
			change(t, guid(1), record("1", "Ada", stamp(5), 11), "100"), change(t, guid(2), record("2", "Bob", stamp(5), 12)),
			change(t, guid(3), protocol.Record{Removed: true}, "3"),
		},
		Settings: &wire.Settings{Mode: wire.ModeAll, Salt: salt, Revoked: [][]byte{wire.RevokedHash(salt, protocol.Card(12).Key())}},
	})
	for _, id := range []string{"1", "2", "7"} {
		e := protocol.Edit{UserID: id, Values: name("N"), Given: []protocol.Credential{protocol.Card(20), protocol.Card(11)}}
		s.append(Batch{
			Reader: "front", Cursor: []byte("c"), Rows: []Row{{Key: id, Held: []byte("held"), Intent: []byte("intent")}},
			Drafts:  []Draft{{Event: protocol.EventUpdatedReader, UserID: id, Edit: &e}},
			GivenUp: []GivenUp{{GivenUpKey: GivenUpKey{Key: id}, UserID: id, Reason: "no room"}},
		})
	}
	st := s.State()
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: 2, Verdicts: []wire.Verdict{{Number: 2, Event: protocol.EventTooLate, UserID: "2"}}}))
	s.apply(wire.Changes{Roster: "r", To: 9, Page: &wire.Page{UpTo: guid(1), Cursor: []byte("page")}, Users: []wire.Change{change(t, guid(1), record("1", "Ada", stamp(6), 11))}})
	s.must(s.Close())
	b, err := os.ReadFile(s.path)
	s.must(err)
	return b
}

// everyValue names each value of a journal's file: bucket after bucket, then
// the key.
func everyValue(t *testing.T, path string) (all [][][]byte) {
	t.Helper()
	var in func(b *bbolt.Bucket, way [][]byte)
	in = func(b *bbolt.Bucket, way [][]byte) {
		_ = b.ForEach(func(k, v []byte) error {
			next := append(append([][]byte(nil), way...), bytes.Clone(k))
			if v == nil {
				in(b.Bucket(k), next)
			} else {
				all = append(all, next)
			}
			return nil
		})
	}
	alter(t, path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			in(b, [][]byte{bytes.Clone(name)})
			return nil
		})
	})
	return all
}

// alter changes a journal's file behind its back.
func alter(t *testing.T, path string, change func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func at(tx *bbolt.Tx, way [][]byte) *bbolt.Bucket {
	b := tx.Bucket(way[0])
	for _, name := range way[1 : len(way)-1] {
		b = b.Bucket(name)
	}
	return b
}

// TestAnySpoiledValue: pages are whole and a value in them makes no sense, or is
// not there. The journal works, or says which file is damaged; it does not
// panic, and it does not hang.
func TestAnySpoiledValue(t *testing.T) {
	whole := somethingOfEverything(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "j.db")
	noticed := map[string]int{}
	mustWriteFile(t, path, whole)
	for _, way := range everyValue(t, path) {
		for name, spoil := range map[string]func(b *bbolt.Bucket, k []byte) error{
			"empty":      func(b *bbolt.Bucket, k []byte) error { return b.Put(k, nil) },
			"half":       func(b *bbolt.Bucket, k []byte) error { return b.Put(k, b.Get(k)[:len(b.Get(k))/2]) },
			"garbage":    func(b *bbolt.Bucket, k []byte) error { return b.Put(k, bytes.Repeat([]byte{0xdb}, 40)) },
			"gone":       func(b *bbolt.Bucket, k []byte) error { return b.Delete(k) },
			"cut by one": func(b *bbolt.Bucket, k []byte) error { return b.Put(k, b.Get(k)[:max(len(b.Get(k))-1, 0)]) },
			"one byte": func(b *bbolt.Bucket, k []byte) error { // a length, in the index
				v := bytes.Clone(b.Get(k))
				for i := 9; i < len(v); i += max(int(v[0]), 10) {
					v[i] = 0xff
				}
				return b.Put(k, v)
			},
			"inverted": func(b *bbolt.Bucket, k []byte) error { // all but the first byte
				v := bytes.Clone(b.Get(k))
				for i := range v {
					if i > 0 {
						v[i] ^= 0xff
					}
				}
				return b.Put(k, v)
			},
		} {
			mustWriteFile(t, path, whole)
			alter(t, path, func(tx *bbolt.Tx) error { return spoil(at(tx, way), way[len(way)-1]) })
			err := everyUse(path)
			switch {
			case errors.Is(err, ErrDamaged):
				noticed[string(way[0])]++
			case errors.Is(err, ErrNewer), errors.Is(err, ErrOlder): // the number of the schema
			case err != nil:
				t.Errorf("%s/%q, %s: %v", way[0], way[1:], name, err)
			}
		}
	}
	for _, name := range []string{"entries", "records", "index", "local", "rows", "given-up", "meta"} {
		if noticed[name] == 0 {
			t.Errorf("nothing was ever noticed of %s", name)
		}
	}
}

func mustWriteFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// everyUse does with a journal all that one can, and returns the first thing
// that went wrong which is not a journal's lawful answer.
func everyUse(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	j, err := Open(path, Options{Site: "north", Now: func() time.Time { return time.Now().Add(200 * 24 * time.Hour) }})
	if err != nil {
		return err
	}
	j.db.NoSync = true
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	var all error
	did := func(what string, err error) {
		if err != nil && !errors.Is(err, ErrClosed) {
			all = errors.Join(all, fmt.Errorf("%s: %w", what, err))
		}
	}
	look(ctx, j, did)
	st := j.State()
	e := protocol.Edit{UserID: "1", Values: name("M"), Given: []protocol.Credential{protocol.Card(12), protocol.Card(21)}}
	_, err = j.Append(ctx, Batch{
		Reader: "front", Rows: []Row{{Key: "1", Held: []byte("h")}}, Forget: []GivenUpKey{{Reader: "front", Key: "7"}},
		Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &e}},
	})
	did("append", err)
	did("confirm", lawful(j.Confirm(ctx, wire.Confirm{Epoch: st.Epoch, Taken: st.Last, Verdicts: []wire.Verdict{{Number: st.Last, Event: protocol.EventTooLate}}})))
	did("apply", lawful(j.Apply(ctx, wire.Changes{Roster: "r", From: st.Revision, To: st.Revision + 1, Epoch: st.Epoch, Journal: 3, Users: []wire.Change{{GUID: guid(2), Gone: true}}})))
	did("page", lawful(j.Apply(ctx, wire.Changes{Roster: "r", To: 9, Page: &wire.Page{After: guid(1)}})))
	did("trim", j.Trim(ctx))
	did("new epoch", j.NewEpoch(ctx, "to see"))
	look(ctx, j, did)
	did("close", j.Close())
	did("run", <-ran)
	return all
}

// lawful leaves out what a journal may answer.
func lawful(err error) error {
	if errors.Is(err, ErrGap) || errors.Is(err, ErrDiverged) {
		return nil
	}
	return err
}

// look reads all that can be read.
func look(ctx context.Context, j *Journal, did func(string, error)) {
	_, err := j.Verify(ctx, nil)
	did("verify", err)
	did("users", j.Users(ctx, func(View) error { return nil }))
	for _, id := range []string{"1", "100", "2", "3", "7", "nobody"} {
		_, _, err := j.User(id)
		did("user", err)
	}
	for _, card := range []uint64{11, 12, 20} {
		_, _, err := j.Owner(protocol.Card(card).Key())
		did("owner", err)
	}
	_, err = j.Digest(ctx, []uint8{wire.Bucket(guid(1)), wire.Bucket(guid(2))})
	did("digest", err)
	for _, err := range j.Rows("front") {
		did("rows", err)
	}
	_, _, err = j.Row("front", "1")
	did("row", err)
	_, err = j.Cursor("front")
	did("cursor", err)
	_, err = j.GivenUp("")
	did("given up", err)
	_, err = j.Pending(0, 100, 1<<20)
	did("pending", err)
	_, err = j.HashAt(2)
	did("hash", err)
	for _, q := range []Query{{}, {User: "1"}, {Reader: "front"}} {
		for _, err := range j.Entries(q) {
			did("entries", err)
		}
	}
}

// TestVerifyFindsWhoIsNotFound: somebody whom the index has lost is there, and
// yet an edit of theirs would be taken for an enrollment.
func TestVerifyFindsWhoIsNotFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	mustWriteFile(t, path, somethingOfEverything(t))
	alter(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("index")).Put(keyRuns, nil) })
	s := openAt(t, path, Options{})
	r, err := s.Verify(t.Context(), nil)
	s.must(err)
	if n := len(r.Faults); n != 2 || !strings.Contains(r.Faults[0], "is not found under every ID and credential") {
		t.Errorf("%d faults: %q", n, r.Faults)
	}
}

// TestWhoCannotWrite: writers that are not there, or no longer, say so at once,
// and nobody waits for ever.
func TestWhoCannotWrite(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "j.db")
	mustWriteFile(t, path, somethingOfEverything(t))
	draft := Batch{Drafts: []Draft{{Event: protocol.EventStarted}}}

	read, err := OpenReadOnly(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read.Append(ctx, draft); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append to what is open for reading: %v", err)
	}
	if err := read.Run(ctx); !errors.Is(err, ErrReadOnly) {
		t.Errorf("run what is open for reading: %v", err)
	}
	if err := read.Close(); err != nil {
		t.Error(err)
	}

	j, err := Open(path, Options{Site: "north"})
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := j.Append(impatient, draft); !errors.Is(err, context.Canceled) {
		t.Errorf("append while nothing runs: %v", err)
	}
	running, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- j.Run(running) }()
	made, err := j.Append(ctx, draft)
	if err != nil || len(made) != 1 {
		t.Errorf("append: %v, %v", made, err)
	}
	if err := j.Run(ctx); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("run twice: %v", err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if _, err := j.Append(ctx, draft); !errors.Is(err, ErrClosed) {
		t.Errorf("append after the writer has ended: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if err := j.Run(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("run after the end: %v", err)
	}
}

// TestConfirmationsReachTheFileAtTheEnd: they wait for the next commit, or for
// a stop in order.
func TestConfirmationsReachTheFileAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	mustWriteFile(t, path, somethingOfEverything(t))
	s := openAt(t, path, Options{})
	st := s.State()
	s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: st.Epoch, Taken: st.Last}))
	s.must(s.Close())
	again := openAt(t, path, Options{})
	if got := again.State(); got.Confirmed != st.Last || !bytes.Equal(got.Hash, st.LastHash) {
		t.Errorf("confirmed up to %d of %d", got.Confirmed, st.Last)
	}
}

// TestPlacesWhereNoJournalCanBe: who starts an agent is told what is wrong with
// the place, and what a start that was cut off has left there is no hindrance.
func TestPlacesWhereNoJournalCanBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	mustWriteFile(t, file, []byte("x"))
	inTheWay := filepath.Join(dir, "taken.db")
	if err := os.MkdirAll(filepath.Join(inTheWay+".new", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"in a folder that is none": filepath.Join(file, "j.db"), "in no folder": filepath.Join(dir, "none", "j.db"), "a folder": dir, "beside a folder": inTheWay,
	} {
		if _, err := Open(path, Options{Site: "north"}); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenReadOnly(filepath.Join(dir, "none.db"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("to be read, and not there: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "j.db"), Options{}); err == nil || !strings.Contains(err.Error(), "name of the site") {
		t.Errorf("without a site: %v", err)
	}
	mustWriteFile(t, filepath.Join(dir, "j.db.new"), []byte("cut off"))
	s := openAt(t, filepath.Join(dir, "j.db"), Options{})
	if st := s.State(); st.Last != 0 || st.Epoch == "" {
		t.Errorf("%+v", st)
	}
	if _, err := os.Stat(filepath.Join(dir, "j.db.new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was cut off is still there: %v", err)
	}
}

// TestGuardLetsFaultsOfThisProgramGoOn: only what the file is to blame for is
// called damage.
func TestGuardLetsFaultsOfThisProgramGoOn(t *testing.T) {
	s := open1(t)
	defer func() {
		if p := recover(); p != "a bug" {
			t.Errorf("what came on is %v", p)
		}
	}()
	err := s.guard(func() error { panic("a bug") })
	t.Errorf("was taken for %v", err)
}
