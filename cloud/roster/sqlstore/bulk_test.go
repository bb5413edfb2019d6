package sqlstore

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// person is all that a first import writes of one user.
type person struct {
	user  roster.UserRow
	id    roster.IDRow
	cred  roster.HolderRow
	named roster.SourceUser
	key   roster.KeyRow
	event roster.Event
}

// madeUp is a person as a file of people has them: user IDs in order, cards and
// addresses in none.
func madeUp(n int) (p person) {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(n))
	sum := sha256.Sum256(seed[:])
	guid := orderedGUID(n, sum)
	id := fmt.Sprint(100_000 + n)
	p.user = roster.UserRow{
		GUID: guid, Revision: uint64(n + 1), Created: uint64(n + 1), IDs: []string{id}, Keys: []uint64{binary.BigEndian.Uint64(sum[:])},
		Groups: []string{"staff"}, Sort: fmt.Sprintf("%020d", 100_000+n), Search: "person number " + id + "\n" + id,
		Known: []protocol.Source{"hr"}, Record: make([]byte, 480),
	}
	p.id = roster.IDRow{ID: id, GUID: guid, Since: uint64(n + 1)}
	p.cred = roster.HolderRow{Key: protocol.Card(uint64(binary.BigEndian.Uint32(sum[8:]))).Key(), GUID: guid}
	p.named = roster.SourceUser{Identity: roster.Identity(sum[:16]), Digest: binary.BigEndian.Uint64(sum[16:]), GUID: guid}
	p.key = roster.KeyRow{Key: roster.KeyHash(binary.BigEndian.Uint64(sum[24:])), GUID: guid}
	at := time.UnixMilli(1_700_000_000_000)
	p.event = roster.Event{
		ID: protocol.EntryID(sum[:len(protocol.EntryID{})]), Number: uint64(n + 1), At: at, Arrived: at, Event: protocol.EventUpdatedCentral,
		UserID: id, GUID: guid, Actor: "import hr, run 1",
	}
	return p
}

// orderedGUID is later for a later user, as those are that the roster gives.
func orderedGUID(n int, sum [32]byte) string {
	id := uuid.UUID(sum[:16])
	binary.BigEndian.PutUint64(id[:], uint64(n)<<8)
	return id.String()
}

// putPeople writes them as the roster does.
func putPeople(tx roster.Tx, people []person) error {
	users := make([]*roster.UserRow, len(people))
	var ids []roster.IDRow
	var creds []roster.HolderRow
	var named []roster.SourceUser
	var keys []roster.KeyRow
	var events []roster.Event
	for i := range people {
		p := &people[i]
		users[i] = &p.user
		ids, creds, named = append(ids, p.id), append(creds, p.cred), append(named, p.named)
		keys, events = append(keys, p.key), append(events, p.event)
	}
	for _, err := range []error{
		tx.AddEvents(events), tx.PutUsers(users), tx.PutIDs(ids), tx.PutHolders(creds), tx.PutNamed("hr", named), tx.PutKeys(keys),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkBulk writes new people in one transaction, one operation a person,
// some hundreds at a time. Raw SQLite writes as many rows with the bytes of a
// person, 32 a statement, into one table without any index, in turns.
// -benchtime=1000000x is a first import of a million.
func BenchmarkBulk(b *testing.B) {
	const flushed = 256
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "roster.db"), Options{})
	must(b, err)
	raw := newRawRows(b)
	var bulk, rows time.Duration
	timed := func(total *time.Duration, fn func() error) {
		began := time.Now()
		must(b, fn())
		*total += time.Since(began)
	}
	b.ResetTimer()
	began := time.Now()
	var spent time.Duration // on making people up and on raw rows
	err = s.Update(b.Context(), func(tx roster.Tx) error {
		for n := 0; n < b.N; n += flushed {
			people := make([]person, min(flushed, b.N-n))
			for i := range people {
				people[i] = madeUp(n + i)
			}
			timed(&rows, func() error { return raw.put(len(people)) })
			timed(&bulk, func() error { return putPeople(tx, people) })
		}
		spent = time.Since(began) - bulk
		return nil
	})
	must(b, err)
	bulk = time.Since(began) - spent
	timed(&rows, func() error { return raw.c.exec("COMMIT") })
	must(b, s.Close())
	b.ReportMetric(float64(bulk.Nanoseconds())/float64(b.N)/1e3, "µs/person")
	b.ReportMetric(bulk.Seconds()/rows.Seconds(), "×raw")
}

// rawRows is SQLite doing nothing but to append rows, as durable as the store's.
type rawRows struct {
	c    *conn
	bulk bulk
	row  []byte
}

func newRawRows(b *testing.B) *rawRows {
	b.Helper()
	c, err := newConn(filepath.Join(b.TempDir(), "raw.db"), "journal_mode=WAL", "synchronous=FULL")
	must(b, err)
	b.Cleanup(func() { must(b, c.close()) })
	must(b, c.exec("CREATE TABLE rows (k INTEGER PRIMARY KEY, v BLOB); BEGIN"))
	row := make([]byte, 1150) // what a person takes in the store, without indexes
	for i := range row {
		row[i] = byte(rand.Uint32())
	}
	return &rawRows{c, newBulk("INSERT INTO rows (v) VALUES ", 1), row}
}

func (r *rawRows) put(n int) error {
	return many(r.c, &r.bulk, make([]struct{}, n), func(s *stmt, _ *struct{}) { s.blob(r.row) })
}
