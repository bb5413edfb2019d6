package csvfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"doorsync/cloud/sources/csvfile"
)

func BenchmarkRows(b *testing.B) {
	var file bytes.Buffer
	file.WriteString("First name,Last name,E-mail,ID,Sync ID\n")
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&file, "Andrew%d,Smith%d,andrew.smith%d@example.org,%d,S-%08d\n", i%997, i%9973, i, 1_000_000+i, i)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := csvfile.Open(bytes.NewReader(file.Bytes()), csvfile.Format{})
		if err != nil {
			b.Fatal(err)
		}
		var row csvfile.Row
		n := 0
		for {
			err := r.Next(&row)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			row.Digest()
			n++
		}
		if n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
