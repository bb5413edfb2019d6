package sources_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
)

var benchRows = flag.Int("rows", 20_000, "rows of the files in benchmarks")

// exportMany writes rows from a number on, one in a hundred of them changed.
func (o *office) exportMany(n int, changed bool) {
	o.t.Helper()
	file, err := os.Create(o.path("hr.csv"))
	must(o.t, err)
	w := bufio.NewWriter(file)
	_, _ = w.WriteString(header + "\n") // told by Flush
	for i := range n {
		last := "Test"
		if changed && i%100 == 0 {
			last = "Probe"
		}
		_, _ = fmt.Fprintf(w, "First%d,%s,person%d@example.org,%d,%08d\n", i, last, i, 10_000_000+i, i)
	}
	must(o.t, w.Flush())
	must(o.t, file.Close())
	must(o.t, os.Chtimes(file.Name(), o.time(), o.time()))
}

// BenchmarkImport is a first import, the same file again by force, and an update of
// one row in a hundred; ns/row of each.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		o := newOffice(b)
		o.clock = time.Now
		o.add("hr", roster.SourceRow{Keys: []roster.Key{roster.KeyEmail}}, nil)
		for _, step := range []string{"first", "again", "update"} {
			o.exportMany(*benchRows, step == "update")
			begun := time.Now()
			o.run("hr", sources.StateDone, sources.Request{Force: true})
			b.ReportMetric(float64(time.Since(begun).Nanoseconds())/float64(*benchRows), step+"-ns/row")
		}
	}
}
