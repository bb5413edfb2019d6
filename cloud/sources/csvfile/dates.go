package csvfile

import (
	"fmt"
	"strings"
	"time"

	_ "time/tzdata" // Windows has no files of time zones
)

// dates reads the dates of one column.
type dates struct {
	layouts []string // of package time
	name    string   // as the person wrote it, for errors
	example string
	zone    *time.Location
	endsDay bool
	upper   bool // am and pm are read in capitals only
}

// isoLayouts are what is read where no format is named.
func isoLayouts() []string {
	return []string{
		time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00",
	}
}

func newDates(format, zone string, endsDay bool) (*dates, error) {
	d := &dates{layouts: isoLayouts(), name: "yyyy-mm-dd, with or without a time", zone: time.UTC, endsDay: endsDay}
	if zone != "" {
		loc, err := time.LoadLocation(zone)
		if err != nil || strings.EqualFold(zone, "local") {
			return nil, fmt.Errorf("there is no time zone %q; write one such as Europe/Berlin or UTC", zone)
		}
		d.zone = loc
	}
	if f := strings.ToLower(strings.TrimSpace(format)); f != "" && f != "iso" && f != "rfc3339" {
		layout, err := layoutOf(format)
		if err != nil {
			return nil, err
		}
		d.layouts, d.name = []string{layout}, strings.TrimSpace(format)
	}
	d.upper = strings.Contains(d.layouts[0], "PM")
	d.example = time.Date(2026, time.November, 22, 8, 30, 0, 0, d.zone).Format(d.layouts[0])
	return d, nil
}

// dateParts are the parts of a named date format and what package time calls them.
func dateParts() []struct{ name, layout string } {
	return []struct{ name, layout string }{
		{"yyyy", "2006"},
		{"yy", "06"},
		{"mmm", "Jan"},
		{"mm", "1"},
		{"m", "1"},
		{"dd", "2"},
		{"d", "2"},
		{"hh", "15"},
		{"h", "15"},
		{"ss", "05"},
		{"zone", "Z07:00"},
		{"am", "PM"},
		{"pm", "PM"},
	}
}

// layoutOf turns a named format into a layout of package time. Days, months and
// hours may have one digit or two, unless nothing stands between them.
func layoutOf(format string) (string, error) {
	if strings.Contains(format, "2006") {
		return format, nil // a layout of package time itself
	}
	var out strings.Builder
	found := map[string]bool{}
	between := true // nothing but a part stands right before
	for rest := strings.ToLower(strings.TrimSpace(format)); rest != ""; {
		name, layout := datePart(rest)
		if name == "" {
			if c := rest[0]; c >= 'a' && c <= 'z' && c != 't' || c >= '0' && c <= '9' {
				return "", fmt.Errorf("the date format %q has %q, which stands for nothing; write yyyy, mm, dd, hh, mm, ss, am, zone, such as dd.mm.yyyy hh:mm", format, rest[:1])
			}
			out.WriteString(strings.ToUpper(rest[:1]))
			rest, between = rest[1:], true
			continue
		}
		rest = rest[len(name):]
		if layout == "1" && found["15"] {
			layout = "04" // behind the hour, mm are minutes
		}
		if found[layout] {
			return "", fmt.Errorf("the date format %q has %s twice", format, name)
		}
		found[layout] = true
		if next, _ := datePart(rest); len(layout) == 1 && (!between || next != "") {
			out.WriteByte('0')
		}
		out.WriteString(layout)
		between = false
	}
	if !found["2006"] && !found["06"] || !found["1"] && !found["Jan"] || !found["2"] {
		return "", fmt.Errorf("the date format %q lacks the year, the month or the day; write it such as dd.mm.yyyy", format)
	}
	if found["PM"] {
		return strings.Replace(out.String(), "15", "3", 1), nil
	}
	return out.String(), nil
}

// datePart is the part with which a format begins; "" if with none.
func datePart(format string) (name, layout string) {
	for _, p := range dateParts() {
		if strings.HasPrefix(format, p.name) {
			return p.name, p.layout
		}
	}
	return "", ""
}

func (d *dates) wanted() string {
	return fmt.Sprintf("a date as %s, such as %s", d.name, d.example)
}

// read reads a date. One without a time is midnight at its beginning, or, if the
// day is to count whole, at its end.
func (d *dates) read(s string) (time.Time, bool) {
	if d.upper {
		s = strings.ToUpper(s)
	}
	for _, layout := range d.layouts {
		t, err := time.ParseInLocation(layout, s, d.zone)
		if err != nil {
			continue
		}
		if d.endsDay && t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Year() < 9999 {
			t = t.AddDate(0, 0, 1)
		}
		if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
			return t, false
		}
		return t, true
	}
	return time.Time{}, false
}
