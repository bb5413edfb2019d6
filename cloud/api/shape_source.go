package api

import "time"

// Source is a source that was added, or one that is built in.
type Source struct {
	Name    string   `json:"name" example:"hr"`
	Kind    string   `json:"kind,omitempty" doc:"csv; empty for what is built in"`
	Keys    []string `json:"keys,omitempty" doc:"Global keys by which its people are found among those known"`
	Gone    string   `json:"gone,omitempty" doc:"What becomes of a user whom it no longer names"`
	IDsFrom uint64   `json:"ids_from,omitempty" doc:"Where user IDs begin that are made up for its people"`
	Notify  bool     `json:"notify,omitempty" doc:"Mail to people who come and go"`
	// CSV is how the file is read; not of what is built in.
	CSV    *CSVSettings  `json:"csv,omitempty"`
	Added  time.Time     `json:"added,omitzero"`
	Status *SourceStatus `json:"status,omitempty"`
}

// CSVSettings are those of a source that is a CSV file.
type CSVSettings struct {
	File        string    `json:"file,omitempty" doc:"Full path as the center sees it; empty if contents are always sent"`
	Format      CSVFormat `json:"format"`
	Interval    string    `json:"interval,omitempty" doc:"How often the center looks at the file: 15m, 1h, or off" example:"1h"`
	Watch       bool      `json:"watch" doc:"Import when the file has changed and stopped growing"`
	Guard       CSVGuard  `json:"guard"`
	SkipBadRows bool      `json:"skip_bad_rows" doc:"Take in the other rows where some are wrong"`
	Overdue     float64   `json:"overdue,omitempty" doc:"After how many intervals without a completed run one is missed"`
	Contacts    []string  `json:"contacts,omitempty" doc:"Get mail about runs that failed, wait or are overdue"`
}

// CSVGuard stops an import that would remove or change many people.
type CSVGuard struct {
	Percent float64 `json:"percent" doc:"Of the people known"`
	Least   int     `json:"least" doc:"Fewer people than this never stop an import"`
}

// CSVFormat says how a file is to be read; what is empty is detected.
type CSVFormat struct {
	Columns   string   `json:"columns,omitempty" example:"Vorname=first_name,3=email"`
	Header    string   `json:"header,omitempty" doc:"yes, no or detect"`
	Delimiter string   `json:"delimiter,omitempty"`
	Encoding  string   `json:"encoding,omitempty"`
	Dates     string   `json:"dates,omitempty" example:"dd.mm.yyyy"`
	Zone      string   `json:"zone,omitempty" example:"Europe/Berlin"`
	ID        string   `json:"id,omitempty" doc:"What the column ID of the usual order is" example:"card"`
	Split     string   `json:"split,omitempty" doc:"Characters between several cards or groups in one cell"`
	Active    []string `json:"active,omitempty"`
	Inactive  []string `json:"inactive,omitempty"`
	Yes       []string `json:"yes,omitempty"`
	No        []string `json:"no,omitempty"`
}

// SourceStatus is how a source that was added stands.
type SourceStatus struct {
	Source    string          `json:"source"`
	File      string          `json:"file,omitempty"`
	Interval  string          `json:"interval"`
	Watch     bool            `json:"watch"`
	Completed *Run            `json:"completed,omitempty" doc:"The last run that completed"`
	Ago       time.Duration   `json:"ago_ns,omitempty" doc:"How long ago that was"`
	Last      *Run            `json:"last,omitempty" doc:"The last run, if that did not complete"`
	Overdue   bool            `json:"overdue,omitempty"`
	Next      *time.Time      `json:"next,omitempty" doc:"When the center imports the file at the latest"`
	Running   *ImportProgress `json:"running,omitempty" doc:"The import under way"`
	Trouble   string          `json:"trouble,omitempty" doc:"What keeps the source from being imported at all"`
}

// SourceList is how what several sources say is settled, and the sources in
// their order.
type SourceList struct {
	Sources
	List          []Source       `json:"sources"`
	Recomputation *Recomputation `json:"recomputation,omitempty" doc:"A change of the order that is being carried out"`
}

// NewSource adds a source. What is left out has its default.
type NewSource struct {
	Name string `json:"name" minLength:"1" maxLength:"64"`
	Kind string `json:"kind" enum:"csv"`
	SourceChange
}

// SourceChange changes a source; what is left out stays.
type SourceChange struct {
	Keys    *[]string  `json:"keys,omitempty"`
	Gone    *string    `json:"gone,omitempty" enum:"keep,remove-if-only,remove,deactivate-if-only,deactivate"`
	IDsFrom *uint64    `json:"ids_from,omitempty"`
	Notify  *bool      `json:"notify,omitempty"`
	CSV     *CSVChange `json:"csv,omitempty"`
}

// CSVChange changes how a CSV file is read; what is left out stays.
type CSVChange struct {
	File        *string   `json:"file,omitempty"`
	Columns     *string   `json:"columns,omitempty"`
	Header      *string   `json:"header,omitempty"`
	Delimiter   *string   `json:"delimiter,omitempty"`
	Encoding    *string   `json:"encoding,omitempty"`
	Dates       *string   `json:"dates,omitempty"`
	Zone        *string   `json:"zone,omitempty"`
	ID          *string   `json:"id,omitempty"`
	Split       *string   `json:"split,omitempty"`
	Active      *[]string `json:"active,omitempty"`
	Inactive    *[]string `json:"inactive,omitempty"`
	Yes         *[]string `json:"yes,omitempty"`
	No          *[]string `json:"no,omitempty"`
	Interval    *string   `json:"interval,omitempty"`
	Watch       *bool     `json:"watch,omitempty"`
	Percent     *float64  `json:"guard_percent,omitempty" minimum:"0" maximum:"100"`
	Least       *int      `json:"guard_least,omitempty" minimum:"0"`
	SkipBadRows *bool     `json:"skip_bad_rows,omitempty"`
	Overdue     *float64  `json:"overdue,omitempty"`
	Contacts    *[]string `json:"contacts,omitempty"`
}

// Apply returns the settings with the change made.
func (c CSVChange) Apply(s CSVSettings) CSVSettings {
	put(&s.File, c.File)
	f := &s.Format
	put(&f.Columns, c.Columns)
	put(&f.Header, c.Header)
	put(&f.Delimiter, c.Delimiter)
	put(&f.Encoding, c.Encoding)
	put(&f.Dates, c.Dates)
	put(&f.Zone, c.Zone)
	put(&f.ID, c.ID)
	put(&f.Split, c.Split)
	put(&f.Active, c.Active)
	put(&f.Inactive, c.Inactive)
	put(&f.Yes, c.Yes)
	put(&f.No, c.No)
	put(&s.Interval, c.Interval)
	put(&s.Watch, c.Watch)
	put(&s.Guard.Percent, c.Percent)
	put(&s.Guard.Least, c.Least)
	put(&s.SkipBadRows, c.SkipBadRows)
	put(&s.Overdue, c.Overdue)
	put(&s.Contacts, c.Contacts)
	return s
}

func put[T any](at, value *T) {
	if value != nil {
		*at = *value
	}
}

// Recomputation is how far a new order of sources has been carried out.
type Recomputation struct {
	Done  int       `json:"done" doc:"Users computed anew"`
	Total int       `json:"total" doc:"0 until they were counted"`
	Since time.Time `json:"since,omitzero"`
}

// FieldDefinition says what a custom value holds.
type FieldDefinition struct {
	Type    string   `json:"type" enum:"text,number,choice"`
	Choices []string `json:"choices,omitempty"`
	Title   string   `json:"title,omitempty" maxLength:"128" example:"License plate"`
}

// Field is a custom value that is defined.
type Field struct {
	Name string `json:"name" doc:"Without custom:" example:"plate"`
	FieldDefinition
}

// FieldList is all custom values.
type FieldList struct {
	Fields []Field `json:"fields"`
}

// Mail is a mail in the outbox.
type Mail struct {
	ID       uint64     `json:"id"`
	Kind     string     `json:"kind" doc:"invite, removed, failure, waiting or overdue"`
	To       string     `json:"to"`
	Source   string     `json:"source,omitempty"`
	Run      uint64     `json:"run,omitempty" doc:"Of the source, that the mail is about"`
	State    string     `json:"state" doc:"waiting, sending, unsure (may have been sent), parked (given up on) or unreadable"`
	Reason   string     `json:"reason,omitempty" doc:"Why it was not sent, or may have been"`
	Queued   time.Time  `json:"queued,omitzero"`
	Next     *time.Time `json:"next,omitempty" doc:"Not tried before"`
	Attempts int        `json:"attempts,omitempty"`
}

// MailList is the outbox.
type MailList struct {
	Mails []Mail `json:"mails"`
}

// Split takes two apart that were made one.
type Split struct {
	Merged string `json:"merged,omitempty" doc:"GUID or user ID of the one merged in; without it the last"`
	Source string `json:"source,omitempty" doc:"Or: a source that was associated wrongly"`
	SyncID string `json:"sync_id,omitempty" doc:"Which row of the source, if it names the user by several"`
	UserID string `json:"user_id,omitempty" doc:"For who comes off and would have none otherwise"`
}
