package sources

import (
	"encoding/json"
	"fmt"
	"time"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/protocol"
)

// State is how a run ended.
type State string

// How runs end.
const (
	StateDone      State = "done"      // the roster says what the file says
	StateDry       State = "dry"       // computed, nothing kept
	StateFailed    State = "failed"    // nothing was changed: Errors or Failure say why
	StateWaiting   State = "waiting"   // nothing was changed: Why asks, and a person confirms the run
	StateUnchanged State = "unchanged" // the file is the one of the last completed run
	StateOverdue   State = "overdue"   // no run: none has completed for too long
)

// Completed reports whether the roster says what the file says.
func (s State) Completed() bool { return s == StateDone || s == StateUnchanged }

// Why is what a run waits for a person to confirm, or what it failed of.
type Why string

// Why runs wait and fail.
const (
	WhyGuard   Why = "guard"   // much would be removed or changed
	WhyColumns Why = "columns" // a column of the last file is missing
	WhyOlder   Why = "older"   // the file is older than the last one
	WhyRows    Why = "rows"    // rows are wrong
	WhyFile    Why = "file"    // the file is not there, cannot be read, or is still being written
	WhyFormat  Why = "format"  // the file as a whole is not what was set up
	WhyRoster  Why = "roster"  // the roster could not take it in
)

// Kept is how many effects of each kind, and how many errors, a report keeps.
const Kept = 1000

// Report says what one run did, or a dry run would do. It holds nothing secret.
type Report struct {
	Source protocol.Source `json:"source"`
	Run    uint64          `json:"run,omitempty"` // 0 is a dry run
	State  State           `json:"state"`
	Why    Why             `json:"why,omitempty"`
	// Failure says in words why the run failed or waits, and what to do next.
	Failure string    `json:"failure,omitempty"`
	By      string    `json:"by"` // who or what started it
	Started time.Time `json:"started"`
	// Checked is when the same was found last; later than Started where runs
	// without anything new were counted as one.
	Checked time.Time     `json:"checked"`
	Times   int           `json:"times,omitempty"` // how many runs were counted as this one, if several
	Took    time.Duration `json:"took_ns"`

	File     string     `json:"file,omitempty"`
	Size     int64      `json:"size"`
	SHA256   string     `json:"sha256,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
	// Detected says what the file was taken for.
	Detected *csvfile.Description `json:"detected,omitempty"`
	Settings string               `json:"settings,omitempty"` // hash of what decides how the file is read

	Rows    int `json:"rows"`    // read from the file, good or bad
	Skipped int `json:"skipped"` // of them, because something was wrong with them
	Known   int `json:"known"`   // people the source named before
	Lost    int `json:"lost"`    // of them, those it does not name any more
	Changed int `json:"changed"` // of them, those whose row differs

	Counts  roster.Counts   `json:"counts"`
	Effects []roster.Effect `json:"effects,omitempty"` // the first of each kind, in order
	Errors  []csvfile.Error `json:"errors,omitempty"`  // the first, in order of line
	// ErrorCount counts also those that Errors leaves out.
	ErrorCount int      `json:"error_count,omitempty"`
	Warnings   []string `json:"warnings,omitempty"` // about the run as a whole
	// Confirmed is the run that was waiting and is carried out by this one.
	Confirmed uint64 `json:"confirmed,omitempty"`
}

// OK reports whether the run did what it was to do.
func (r Report) OK() bool { return r.State.Completed() || r.State == StateDry }

// Encode returns the report as RunRow.Report keeps it.
func (r Report) Encode() ([]byte, error) { return json.Marshal(r) }

// ParseReport reads what a RunRow keeps.
func ParseReport(row roster.RunRow) (Report, error) {
	var out Report
	if err := json.Unmarshal(row.Report, &out); err != nil {
		return out, unreadable(row, err)
	}
	out.Source, out.Run = row.Source, row.Number
	return out, nil
}

func unreadable(row roster.RunRow, err error) error {
	return fmt.Errorf("report of run %d of %s: %w", row.Number, row.Source, err)
}
