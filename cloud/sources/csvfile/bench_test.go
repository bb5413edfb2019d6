package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"testing"

	"doorsync/cloud/sources/csvfile"
)

func benchFile() (file []byte, rows int) {
	var out bytes.Buffer
	out.WriteString("First name,Last name,E-mail,ID,Sync ID\n")
	rows = 100_000
	for i := range rows {
		fmt.Fprintf(&out, "Andrew%d,Smith%d,andrew.smith%d@example.org,%d,S-%08d\n", i%997, i%9973, i, 1_000_000+i, i)
	}
	return out.Bytes(), rows
}

// BenchmarkRows reads a file as an import does, digests included.
func BenchmarkRows(b *testing.B) {
	file, rows := benchFile()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := csvfile.Open(bytes.NewReader(file), csvfile.Format{})
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

// BenchmarkStandard takes the same file apart with encoding/csv and does nothing
// else, to compare.
func BenchmarkStandard(b *testing.B) {
	file, rows := benchFile()
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(file))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
