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
	"doorsync/protocol"
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
