package journal

import (
	"context"
	"strconv"
	"testing"
	"time"

	"doorsync/protocol"
)

// BenchmarkDepth is an edit of somebody who has 200 edits pending against one of
// somebody who has none, turn by turn: those that wait must not make the next one
// dearer. Each turn is one transaction of 100 edits.
func BenchmarkDepth(b *testing.B) {
	s := benchSite(b)
	const waiting, together = 200, 100
	for n := range waiting {
		s.edit(protocol.Edit{UserID: "1", Values: mail(n)})
	}
	s.db.NoSync = true // what it costs to decide, not to flush
	turn := func(id func(n int) string) time.Duration {
		batch := Batch{Reader: "front"}
		for n := range together {
			batch.Drafts = append(batch.Drafts, Draft{Event: protocol.EventUpdatedReader, UserID: id(n), Edit: &protocol.Edit{Values: mail(n)}})
		}
		start := time.Now()
		_, err := s.Append(context.Background(), batch)
		s.must(err)
		return time.Since(start)
	}
	var deep, flat time.Duration
	next := 2
	for b.Loop() {
		deep += turn(func(int) string { return "1" })
		flat += turn(func(int) string { next = next%9_000 + 2; return strconv.Itoa(next) })
	}
	b.ReportMetric(float64(deep.Microseconds())/float64(b.N)/together, "µs/deep")
	b.ReportMetric(float64(flat.Microseconds())/float64(b.N)/together, "µs/flat")
	b.ReportMetric(deep.Seconds()/flat.Seconds(), "ratio")
}

func mail(n int) map[protocol.Field]protocol.Value {
	return map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text(strconv.Itoa(n) + "@example.org")}
}
