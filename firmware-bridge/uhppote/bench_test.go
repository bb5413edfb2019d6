package uhppote_test

import (
	"fmt"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	uhpposim "doorsync/firmware-bridge/sim/uhppote"
)

// BenchmarkTable writes and reads a table of 10,000 cards, against a controller
// that answers at once and one that takes a millisecond.
func BenchmarkTable(b *testing.B) {
	for _, network := range []string{"udp", "tcp"} {
		for _, latency := range []time.Duration{0, time.Millisecond} {
			b.Run(fmt.Sprintf("%s/%v", network, latency), func(b *testing.B) { benchTable(b, network, latency) })
		}
	}
}

func benchTable(b *testing.B, network string, latency time.Duration) {
	const n = 10000
	sim := start(b, uhpposim.Options{Latency: latency})
	s := session(b, config(network, sim.Addr()))
	rows := make([]driver.Row, n)
	for i := range rows {
		rows[i] = row(b, s, user(fmt.Sprint(i), []string{"staff"}, nil, uint64(1000+i)))
	}
	var put, list time.Duration
	for b.Loop() {
		begun := time.Now()
		if _, err := s.Put(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		put += time.Since(begun)
		begun = time.Now()
		if got, err := s.List(b.Context()); err != nil || len(got) != n {
			b.Fatal(len(got), err)
		}
		list += time.Since(begun)
	}
	b.ReportMetric(put.Seconds()/float64(b.N), "s/put")
	b.ReportMetric(list.Seconds()/float64(b.N), "s/list")
}
