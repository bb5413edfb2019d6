package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// figure is one line of build/bench.json.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Baseline float64 `json:"baseline"` // the raw stack in the same run, 0 where there is none
	Ratio    float64 `json:"ratio"`    // Value to Baseline, 0 without one
	Bar      string  `json:"bar"`
	OK       bool    `json:"ok"`
}

// report prints figures as they come and keeps them for the file.
type report struct {
	out     io.Writer
	figures []figure
}

func (r *report) add(f figure) {
	if f.Baseline != 0 {
		f.Ratio = f.Value / f.Baseline
	}
	r.figures = append(r.figures, f)
	verdict := "ok"
	if !f.OK {
		verdict = "MISSES ITS BAR"
	}
	base := "-"
	if f.Baseline != 0 {
		base = fmt.Sprintf("raw %.4g, ratio %.2f", f.Baseline, f.Ratio)
	}
	fmt.Fprintf(r.out, "%-16s %10.4g %-8s %-26s bar %-28s %s\n", f.Name, f.Value, f.Unit, base, f.Bar, verdict)
}

// write keeps the figures as JSON, one object a line.
func (r *report) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false) // bars say < and >
	for _, fig := range r.figures {
		if err := enc.Encode(fig); err != nil {
			_ = f.Close()
			return fmt.Errorf("write figures: %w", err)
		}
	}
	return f.Close()
}

// quantile returns the q-th quantile of durations in milliseconds.
func quantile(ds []time.Duration, q float64) float64 {
	s := slices.Clone(ds)
	slices.Sort(s)
	return float64(s[min(len(s)-1, int(q*float64(len(s))))]) / 1e6
}

func median(fs []float64) float64 {
	s := slices.Clone(fs)
	slices.Sort(s)
	return s[len(s)/2]
}
