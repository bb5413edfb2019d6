package api

import (
	"time"

	"doorsync/cloud/roster"
)

// Run is what one import of a source did, or would do.
type Run struct {
	Source    string        `json:"source"`
	Run       uint64        `json:"run,omitempty" doc:"Its number; a dry run has none"`
	State     string        `json:"state" enum:"done,dry,failed,waiting,unchanged,overdue"`
	Why       string        `json:"why,omitempty" doc:"What a run waits for, or what it failed of"`
	Failure   string        `json:"failure,omitempty" doc:"The same in words, with what to do next"`
	By        string        `json:"by" doc:"Who or what started it"`
	Started   time.Time     `json:"started"`
	Checked   time.Time     `json:"checked,omitzero" doc:"When the same was found last"`
	Times     int           `json:"times,omitempty" doc:"How many runs with nothing new were counted as this one"`
	Took      time.Duration `json:"took_ns"`
	File      string        `json:"file,omitempty"`
	Size      int64         `json:"size"`
	SHA256    string        `json:"sha256,omitempty"`
	Modified  *time.Time    `json:"modified,omitempty"`
	Detected  *Detected     `json:"detected,omitempty"`
	Settings  string        `json:"settings,omitempty" doc:"Hash of what decides how the file is read"`
	Rows      int           `json:"rows" doc:"Read from the file, good or bad"`
	Skipped   int           `json:"skipped" doc:"Of the rows, because something was wrong with them"`
	Known     int           `json:"known" doc:"People whom the source named before"`
	Lost      int           `json:"lost" doc:"Of them, those it does not name any more"`
	Changed   int           `json:"changed" doc:"Of them, those whose row differs"`
	Confirmed uint64        `json:"confirmed,omitempty" doc:"The run that was waiting, and was carried out by this one"`

	Counts     roster.Counts   `json:"counts"`
	Effects    []roster.Effect `json:"effects,omitempty" doc:"The first 1,000 of each kind"`
	Errors     []RowError      `json:"errors,omitempty" doc:"The first 1,000"`
	ErrorCount int             `json:"error_count,omitempty" doc:"All errors"`
	Warnings   []string        `json:"warnings,omitempty"`
}

// Detected is what a file was taken for.
type Detected struct {
	Encoding  string       `json:"encoding"`
	Delimiter string       `json:"delimiter"`
	Header    bool         `json:"header"`
	Detected  []string     `json:"detected,omitempty" doc:"What the settings left open"`
	Columns   []ColumnUsed `json:"columns"`
	Notes     []string     `json:"notes,omitempty"`
}

// ColumnUsed is a column of a file and what it was taken for.
type ColumnUsed struct {
	Position int    `json:"position" doc:"Counted from 1"`
	Header   string `json:"header,omitempty"`
	Field    string `json:"field,omitempty" doc:"Empty if the column is not read"`
	Near     bool   `json:"near,omitempty" doc:"The header is not quite a name that is known"`
}

// RowError is what is wrong at one place of a file.
type RowError struct {
	Line   int    `json:"line,omitempty" doc:"Counted from 1; 0 is the whole file"`
	Column int    `json:"column,omitempty" doc:"Counted from 1; 0 is the whole row"`
	Name   string `json:"name,omitempty" doc:"Of the column"`
	Value  string `json:"value,omitempty" doc:"Clipped; never of a secret column"`
	Wrong  string `json:"wrong"`
	Wanted string `json:"wanted,omitempty"`
	Fatal  bool   `json:"fatal,omitempty" doc:"Nothing after it could be read"`
}

// RunList is some runs of a source, newest first.
type RunList struct {
	Runs []Run  `json:"runs"`
	Next uint64 `json:"next,omitempty" doc:"Give it as before to go on; 0 at the end"`
}

// ImportProgress is how far an import has come.
type ImportProgress struct {
	Stage   string    `json:"stage" enum:"queued,copy,read,plan,import"`
	Rows    int       `json:"rows" doc:"Done in this stage"`
	Total   int       `json:"total" doc:"Of this stage; 0 if unknown"`
	Started time.Time `json:"started"`
}

// ImportNews is what the stream of an import tells: how far it has come, and in
// the end one of the others.
type ImportNews struct {
	Progress *ImportProgress `json:"progress,omitempty"`
	Run      *Run            `json:"run,omitempty"`
	Fault    *Fault          `json:"fault,omitempty"`
}

// Preview is what something would do.
type Preview struct {
	Counts  roster.Counts   `json:"counts"`
	Effects []roster.Effect `json:"effects" doc:"The first 1,000"`
	More    int             `json:"more,omitempty" doc:"How many effects are left out"`
}

// Undecided is somebody whom a source names and who may be one of several users.
type Undecided struct {
	Source     string             `json:"source"`
	Run        uint64             `json:"run"`
	Line       int                `json:"line,omitempty" doc:"Of the file"`
	SyncID     string             `json:"sync_id" doc:"What the source tells the person apart by: sync ID, or e-mail address"`
	Name       string             `json:"name"`
	Candidates []roster.Candidate `json:"candidates"`
	Text       string             `json:"text,omitempty"`
}

// UndecidedList is everybody who was undecided in the last run of each source.
type UndecidedList struct {
	Undecided []Undecided `json:"undecided"`
}

// Decision says who somebody is whom a source names.
type Decision struct {
	SyncID string `json:"sync_id" minLength:"1" maxLength:"1024" doc:"Sync ID, or e-mail address where the source has none"`
	User   string `json:"user,omitempty" doc:"User ID or GUID of who it is"`
	New    bool   `json:"new,omitempty" doc:"It is nobody known"`
}
