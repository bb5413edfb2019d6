package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"path/filepath"
	"strings"
	"time"

	"doorsync/cloud/sources/csvfile"
)

// KindCSV is the kind of a source that is a CSV file.
const KindCSV = "csv"

// The bounds of an interval.
const (
	MinInterval = time.Minute
	MaxInterval = 31 * 24 * time.Hour
)

// Settings are what is set of a CSV source beside what every source has
// (roster.SourceRow, which keeps them as JSON).
type Settings struct {
	// File is the export's full path as the center sees it. Empty for a source whose
	// contents are only ever sent from outside.
	File   string         `json:"file,omitempty"`
	Format csvfile.Format `json:"format"`
	// Interval is how often the center looks at the file by itself, and how often
	// a run is expected where somebody else starts them.
	Interval Interval `json:"interval"`
	// Watch imports the file as soon as it has changed and has stopped growing.
	Watch bool  `json:"watch"`
	Guard Guard `json:"guard"`
	// SkipBadRows takes in the other rows where some are wrong; a person whose row
	// is skipped stays as they are.
	SkipBadRows bool `json:"skip_bad_rows"`
	// Overdue is after how many intervals without a completed run one is missed.
	Overdue float64 `json:"overdue"`
	// Contacts get mail about failed, waiting and overdue runs, instead of the
	// contacts of the mail configuration.
	Contacts []string `json:"contacts,omitempty"`
}

// Guard stops an import that would remove or change more than a share of the
// people whom the source knows, and at least a number of them.
type Guard struct {
	Percent float64 `json:"percent"` // of the people known; 100 never stops
	Least   int     `json:"least"`   // fewer people than this never stop an import
}

// Exceeds reports whether so many of the people known are too many.
func (g Guard) Exceeds(touched, known int) bool {
	return touched >= max(g.Least, 1) && float64(touched)*100 > g.Percent*float64(known)
}

// DefaultSettings are those of a source of which only the file is set.
func DefaultSettings() Settings {
	return Settings{
		Interval: Interval(time.Hour), Watch: true, Guard: Guard{Percent: 20, Least: 10}, Overdue: 2,
	}
}

// ParseSettings reads the settings of a source; what they leave out has its
// default, what nobody knows is an error.
func ParseSettings(text []byte) (Settings, error) {
	s := DefaultSettings()
	if len(bytes.TrimSpace(text)) == 0 {
		return s, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("settings of the source: %w", err)
	}
	return s, s.Check()
}

// Encode returns the settings as SourceRow.Settings keeps them.
func (s Settings) Encode() ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// Check reports everything that is wrong with the settings. It touches no file.
func (s Settings) Check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.File != "" && !filepath.IsAbs(s.File) {
		wrong("file %q: write the full path, as the center sees it", s.File)
	}
	if err := s.Format.Validate(); err != nil {
		errs = append(errs, err)
	}
	if d := time.Duration(s.Interval); d != 0 && (d < MinInterval || d > MaxInterval) {
		wrong("interval %s: must be off, or from 1m to 31 days", s.Interval)
	}
	if s.Guard.Percent < 0 || s.Guard.Percent > 100 {
		wrong("guard: %v percent; must be from 0 to 100", s.Guard.Percent)
	}
	if s.Guard.Least < 0 {
		wrong("guard: at least %d people; must be 0 or more", s.Guard.Least)
	}
	if s.Overdue < 1 || s.Overdue > 1000 {
		wrong("overdue after %v intervals; must be from 1 to 1000", s.Overdue)
	}
	for _, c := range s.Contacts {
		if _, err := mail.ParseAddress(c); err != nil {
			wrong("contact %q is no e-mail address", c)
		}
	}
	return errors.Join(errs...)
}

// Scheduled reports whether the center imports the file by itself.
func (s Settings) Scheduled() bool { return s.File != "" && (s.Interval > 0 || s.Watch) }

// Late is after which time without a completed run one is missed; 0 is never.
func (s Settings) Late() time.Duration {
	return time.Duration(float64(s.Interval) * s.Overdue)
}

// Interval is a span of time that people write as 1h, 15m or 1h30m; off is 0.
type Interval time.Duration

// String writes the interval as people do.
func (i Interval) String() string {
	if i == 0 {
		return "off"
	}
	text := time.Duration(i).String()
	text, _ = strings.CutSuffix(text, "m0s")
	if text != time.Duration(i).String() {
		text += "m"
	}
	if cut, ok := strings.CutSuffix(text, "h0m"); ok {
		text = cut + "h"
	}
	return text
}

// MarshalText writes the interval as people do.
func (i Interval) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what people write.
func (i *Interval) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "off" || s == "0" {
		*i = 0
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("interval %q: write 15m, 1h or 1h30m, or off", s)
	}
	*i = Interval(d)
	return nil
}
