package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// filled returns the bytes of a journal with something of everything in it.
func filled(t *testing.T) []byte {
	t.Helper()
	s := open1(t)
	var users []wire.Change
	for n := range 300 {
		users = append(users, change(t, guid(n), kilobyteUser(n)))
	}
	s.apply(wire.Changes{Roster: "r", To: 4, Users: users, Settings: &wire.Settings{Mode: wire.ModeAll}})
	for n := range 40 {
		e := protocol.Edit{UserID: strings.Repeat("x", n+1), Values: name("N"), Given: fingers()}
		s.append(Batch{
			Reader: "front", Cursor: []byte("c"), Rows: []Row{{Key: e.UserID, Held: bytes.Repeat([]byte("h"), 100)}},
			Drafts:  []Draft{{Event: protocol.EventUpdatedReader, Edit: &e}},
			GivenUp: []GivenUp{{GivenUpKey: GivenUpKey{Key: e.UserID}, Reason: "r"}},
		})
	}
	s.must(s.Close())
	b, err := os.ReadFile(s.path)
	s.must(err)
	return b
}

func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "j.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamagedFileIsReported(t *testing.T) {
	whole := filled(t)
	for name, b := range map[string][]byte{
		"empty": {}, "something else": []byte(strings.Repeat("not a journal ", 1000)),
		"cut in half": whole[:len(bytes.TrimRight(whole, "\x00"))/2], "zeroed": make([]byte, len(whole)),
		"cut to its first pages": whole[:3*4096],
	} {
		for _, open := range []func(string, Options) (*Journal, error){Open, OpenReadOnly} {
			path := write(t, b)
			_, err := open(path, Options{Site: "north"})
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "stop the agent") {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s: the file was changed", name)
			}
		}
	}
}

// Whatever page is overwritten, with whatever: the journal opens and works, or
// says that it is damaged. It never panics, and it never hangs.
func TestAnyOverwrittenPage(t *testing.T) {
	whole := filled(t)
	garbage := map[string]func([]byte){
		"zeros": func(p []byte) { clear(p) },
		"ones":  func(p []byte) { copy(p, bytes.Repeat([]byte{0xff}, len(p))) },
		"text":  func(p []byte) { copy(p, bytes.Repeat([]byte("door"), len(p)/4)) },
		"count": func(p []byte) { binary.NativeEndian.PutUint16(p[10:], 60_000) },
		"page":  func(p []byte) { copy(p, whole[5*4096:6*4096]) },
	}
	damaged := 0
	for at := 0; at < min(len(whole), 60*4096); at += 4096 {
		for name, spoil := range garbage {
			b := bytes.Clone(whole)
			spoil(b[at : at+4096])
			if err := useAll(write(t, b)); errors.Is(err, ErrDamaged) {
				damaged++
			} else if err != nil {
				t.Errorf("page %d, %s: %v", at/4096, name, err)
			}
		}
	}
	if damaged == 0 {
		t.Error("no damage was ever noticed")
	}
}

// useAll does everything with a journal that reads what may be damaged.
func useAll(path string) error {
	ctx := context.Background()
	j, err := Open(path, Options{Site: "north"})
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	_, err = j.Verify(ctx, nil)
	err = errors.Join(err, j.Users(ctx, func(View) error { return nil }))
	for _, e := range j.Rows("front") {
		err = errors.Join(err, e)
	}
	_, e := j.Append(ctx, Batch{Reader: "front", Rows: []Row{{Key: "1"}}, Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &protocol.Edit{UserID: "5"}}}})
	err = errors.Join(err, e, j.Close())
	if e := <-ran; err == nil {
		err = e
	}
	if errors.Is(err, ErrClosed) && !errors.Is(err, ErrDamaged) {
		return errors.New("closed without saying why")
	}
	return err
}

func TestOtherVersionIsRefused(t *testing.T) {
	for version, want := range map[uint64]error{schema + 1: ErrNewer, schema - 1: ErrOlder} {
		s := open1(t)
		s.must(s.Close())
		db, err := bbolt.Open(s.path, 0o600, nil)
		s.must(err)
		s.must(db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("meta")).Put(keySchema, numberKey(version))
		}))
		s.must(db.Close())
		if _, err := Open(s.path, Options{Site: "north"}); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
}

func TestOneAgentAtATime(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{UserID: "5"})
	for _, open := range []func(string, Options) (*Journal, error){Open, OpenReadOnly} {
		if _, err := open(s.path, Options{Site: "north", LockWait: 1}); !errors.Is(err, ErrLocked) {
			t.Fatal(err)
		}
	}
	s.must(s.Close())
	j, err := OpenReadOnly(s.path, Options{})
	s.must(err)
	if _, ok, err := j.User("5"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := j.Append(context.Background(), Batch{}); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	s.must(j.Close())
	if _, err := OpenReadOnly(s.path+"x", Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	entry := func(n uint64) func(*bbolt.Tx) ([]byte, *bbolt.Bucket) {
		return func(tx *bbolt.Tx) ([]byte, *bbolt.Bucket) { return numberKey(n), tx.Bucket([]byte("entries")) }
	}
	for name, c := range map[string]struct {
		spoil func(tx *bbolt.Tx) error
		fault string
	}{
		"changed": {func(tx *bbolt.Tx) error {
			k, b := entry(3)(tx)
			return b.Put(k, bytes.Replace(b.Get(k), []byte("front"), []byte("other"), 1))
		}, "entry 3 was changed"},
		"last changed": {func(tx *bbolt.Tx) error {
			k, b := entry(9)(tx)
			return b.Put(k, bytes.Replace(b.Get(k), []byte("front"), []byte("other"), 1))
		}, "entry 9 was changed"},
		"removed": {func(tx *bbolt.Tx) error {
			k, b := entry(4)(tx)
			return b.Delete(k)
		}, "entries 4 to 4 are missing"},
		"first removed": {func(tx *bbolt.Tx) error {
			k, b := entry(1)(tx)
			return b.Delete(k)
		}, "entries 1 to 1 are missing"},
		"exchanged": {func(tx *bbolt.Tx) error {
			k1, b := entry(5)(tx)
			k2, _ := entry(6)(tx)
			v1, v2 := bytes.Clone(b.Get(k1)), bytes.Clone(b.Get(k2))
			return errors.Join(b.Put(k1, v2), b.Put(k2, v1))
		}, "entry 6 stands in the place of entry 5"},
		"user changed": {func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("records"))
			v := bytes.Replace(b.Get([]byte(guid(1))), []byte("User"), []byte("Loser")[:4], 1)
			return b.Put([]byte(guid(1)), v)
		}, "is not as the center sent it"},
		"user removed": {func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("records")).Delete([]byte(guid(1)))
		}, "are not those that the digest is of"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open1(t)
			s.apply(pageOf(t, "", "", 0, 1, 2))
			for range 9 {
				s.edit(protocol.Edit{UserID: "1", Given: []protocol.Credential{protocol.Card(7)}})
			}
			s.sound()
			s.must(s.db.Update(c.spoil))
			r, err := s.Verify(context.Background(), func(uint64, uint64) {})
			s.must(err)
			if !strings.Contains(strings.Join(r.Faults, "; "), c.fault) {
				t.Fatalf("faults %v", r.Faults)
			}
		})
	}
}

// Memory follows the file a moment after a commit; what is verified in that
// moment is not damaged.
func TestVerifyWhileACommitEnds(t *testing.T) {
	s := open1(t)
	before := s.mem.Load()
	s.apply(wire.Changes{Roster: "r", To: 1, Users: []wire.Change{change(t, guid(1), record("5", "Ada", stamp(10)))}})
	after := s.mem.Swap(before)
	r, err := s.Verify(t.Context(), nil)
	if err != nil || len(r.Faults) != 0 {
		t.Errorf("faults %v, error %v", r.Faults, err)
	}
	s.mem.Store(after)
}

// Retention goes on while the journal is verified; what it removes is not missing.
func TestVerifyWhileOldEntriesGo(t *testing.T) {
	for name, upTo := range map[string]uint64{"some": 2 * rowsAtOnce, "all": 3 * rowsAtOnce} {
		t.Run(name, func(t *testing.T) {
			now := time.UnixMilli(1_700_000_000_000)
			s := openAt(t, filepath.Join(t.TempDir(), "j.db"), Options{Now: func() time.Time { return now }, Retain: time.Hour})
			for range 3 * rowsAtOnce {
				s.edit(protocol.Edit{UserID: "1"})
			}
			epoch := s.State().Epoch
			s.must(s.Confirm(t.Context(), wire.Confirm{Epoch: epoch, Taken: upTo}))
			s.apply(wire.Changes{Roster: "r", To: 1, Epoch: epoch, Journal: 3 * rowsAtOnce})
			calls := 0
			r, err := s.Verify(t.Context(), func(uint64, uint64) {
				if calls++; calls == 2 {
					now = now.Add(2 * time.Hour)
					s.must(s.Trim(t.Context()))
				}
			})
			if err != nil || len(r.Faults) != 0 || r.First != upTo+1 || calls < 2 {
				t.Errorf("first %d, faults %v, error %v after %d calls", r.First, r.Faults, err, calls)
			}
		})
	}
}
