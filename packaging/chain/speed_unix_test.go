//go:build unix

package chain

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"doorsync/agent/journal"
	"doorsync/cloud/broker"
	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// BenchmarkSustained is how many edits a second arrive at the other site, all
// durable, when many readers have much to tell.
func BenchmarkSustained(b *testing.B) {
	const writers, each = 64, 200
	for b.Loop() {
		dir := b.TempDir()
		o := openOffice(b, dir, func(sites broker.Authenticator) (broker.Broker, error) {
			return broker.OpenEmbedded(broker.EmbeddedOptions{Listen: "127.0.0.1:0", Dir: dir, Sites: sites})
		})
		lyon, oslo := o.site(b, dir, "LYON", o.b.Address(), 0), o.site(b, dir, "OSLO", o.b.Address(), 0)
		until(b, 10*time.Second, settled(o.center, lyon, oslo))
		begun, spent := time.Now(), cpu(b)
		var g errgroup.Group
		for w := range writers {
			g.Go(func() error {
				for n := range each {
					if _, err := lyon.j.Append(b.Context(), kilobyte(w*each+n)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		written := time.Since(begun)
		until(b, time.Minute, func() error {
			if st := o.r.Revision(); st < writers*each {
				return fmt.Errorf("center at revision %d", st)
			}
			return nil
		})
		heard := time.Since(begun)
		until(b, time.Minute, func() error {
			if st := oslo.j.State(); st.Revision < writers*each {
				return fmt.Errorf("revision %d", st.Revision)
			}
			return nil
		})
		took := time.Since(begun)
		b.ReportMetric(float64((cpu(b)-spent).Microseconds())/(writers*each), "cpu-µs/edit")
		b.ReportMetric(float64(writers*each)/written.Seconds(), "written/s")
		b.ReportMetric(float64(writers*each)/heard.Seconds(), "heard/s")
		b.ReportMetric(float64(writers*each)/took.Seconds(), "edits/s")
		lyon.close()
		oslo.close()
		o.close()
	}
}

// kilobyte is an edit of a new user with two templates.
func kilobyte(id int) journal.Batch {
	e := &protocol.Edit{
		UserID: strconv.Itoa(id),
		Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text("Person " + strconv.Itoa(id))},
		Given:  []protocol.Credential{protocol.Card(uint64(1_000_000 + id))},
	}
	for finger := range 2 {
		noise := make([]byte, 384)
		x := uint64(id)*2 + uint64(finger) + 1
		for i := range noise {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			noise[i] = byte(x >> 32)
		}
		e.Given = append(e.Given, protocol.Fingerprint("zk10", uint8(finger+5), noise))
	}
	return journal.Batch{Reader: "door", Drafts: []journal.Draft{{Event: protocol.EventEnrolled, UserID: e.UserID, Edit: e}}}
}

// cpu is what this process has spent so far. On a machine with other work it
// tells more than the clock.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFirstCopy is how long a new site takes to hold everybody, from its
// first connection on.
func BenchmarkFirstCopy(b *testing.B) {
	const users = 20_000
	for b.Loop() {
		dir := b.TempDir()
		o := openOffice(b, dir, func(sites broker.Authenticator) (broker.Broker, error) {
			return broker.OpenEmbedded(broker.EmbeddedOptions{Listen: "127.0.0.1:0", Dir: dir, Sites: sites})
		})
		o.fill(b, users)
		begun, spent := time.Now(), cpu(b)
		oslo := o.site(b, dir, "OSLO", o.b.Address(), 0)
		until(b, time.Minute, func() error {
			if st := oslo.j.State(); st.Revision < users {
				return fmt.Errorf("revision %d", st.Revision)
			}
			return nil
		})
		b.ReportMetric(users/time.Since(begun).Seconds(), "users/s")
		b.ReportMetric(float64((cpu(b)-spent).Microseconds())/users, "cpu-µs/user")
		oslo.close()
		o.close()
	}
}

// fill puts users into the roster as a site's journal would.
func (o *office) fill(b *testing.B, users int) {
	b.Helper()
	if _, err := o.r.Hello(b.Context(), "LYON", wire.Hello{Session: "s", Epoch: "e", First: 1}); err != nil {
		b.Fatal(err)
	}
	codec, err := wire.NewCodec()
	if err != nil {
		b.Fatal(err)
	}
	var prev []byte
	const at = 500
	for n := 0; n < users; n += at {
		batch := roster.SiteBatch{Site: "LYON", Session: "s", Epoch: "e"}
		for i := n + 1; i <= n+at; i++ {
			d := kilobyte(i).Drafts[0]
			d.Edit.New = true
			e := protocol.Entry{Number: uint64(i), Event: d.Event, UserID: d.UserID, Edit: d.Edit, Stamp: protocol.Stamp{Wall: int64(i), Origin: "LYON"}}
			e.ID[14], e.ID[15], e.ID[13] = byte(i>>8), byte(i), byte(i>>16)
			e.Prev = prev
			if prev, err = codec.EntryHash(e); err != nil {
				b.Fatal(err)
			}
			batch.Entries = append(batch.Entries, e)
		}
		c, err := o.r.Hear(b.Context(), []roster.SiteBatch{batch})
		if err != nil || c[0].Taken != uint64(n+at) {
			b.Fatalf("taken %+v: %v", c, err)
		}
	}
}
