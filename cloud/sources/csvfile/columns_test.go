package csvfile_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/sources/csvfile"
)

func TestParseColumns(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"by header":             {"Vorname=first_name,E-Mail=email", "Vorname=first_name,E-Mail=email"},
		"by position":           {"3=email, 1 = first_name", "3=email,1=first_name"},
		"a header of digits":    {`"3"=email`, `"3"=email`},
		"a header with a comma": {`"Name, Vorname"=name,E=email`, `"Name, Vorname"=name,E=email`},
		"a header with quotes":  {`"Ihr ""Kürzel"""=sync_id`, `"Ihr ""Kürzel"""=sync_id`},
		"a header with equals":  {`"a=b"=sync_id`, `"a=b"=sync_id`},
		"card of a format":      {"1=email,Karte=card:wiegand26;facility:number", "1=email,Karte=card:wiegand26;facility:number"},
		"options in any order":  {"1=email,Karte=card:split=/;hex;wiegand34", "1=email,Karte=card:wiegand34;hex;split=/"},
		"a semicolon to split":  {`1=email,2=groups:split=";"`, `1=email,2=groups:split=";"`},
		"a comma to split":      {`1=email,2=groups:split=","`, `1=email,2=groups:split=","`},
		"date with a time":      {"1=email,2=activates_at:dd.mm.yyyy hh:mm", "1=email,2=activates_at:dd.mm.yyyy hh:mm"},
		"date with all options": {"1=email,2=expires_at:mm/dd/yyyy;zone=Europe/Berlin;end-of-day", "1=email,2=expires_at:mm/dd/yyyy;zone=Europe/Berlin;end-of-day"},
		"words of a state":      {"1=email,2=state:active=A/aktiv;inactive=G", "1=email,2=state:active=A/aktiv;inactive=G"},
		"words of a flag":       {"1=email,2=extended_grant:yes=X;no=-", "1=email,2=extended_grant:yes=X;no=-"},
		"custom with blanks":    {"1=email,2=custom:cost center", "1=email,2=custom:cost center"},
		"custom with a colon":   {"1=email,2=custom:a:b", "1=email,2=custom:a:b"},
		"several cards, groups": {"1=email,2=card,3=card:hex,4=groups,5=groups", "1=email,2=card,3=card:hex,4=groups,5=groups"},
		"nothing":               {" , ", ""},
		"a comma too many":      {"1=email,", "1=email"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			columns, err := csvfile.ParseColumns(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := join(columns); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func join(columns []csvfile.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, c.String())
	}
	return strings.Join(out, ",")
}

// Everything that is wrong with a Format is said, with what to write instead.
func TestFormatFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		format csvfile.Format
		want   []string
	}{
		"no equals sign":        {csvfile.Format{Columns: "email"}, []string{`"email"`, "COLUMN=FIELD"}},
		"no column":             {csvfile.Format{Columns: "=email"}, []string{"no column is named"}},
		"column 0":              {csvfile.Format{Columns: "0=email"}, []string{"no column 0", "counted from 1"}},
		"a field misspelled":    {csvfile.Format{Columns: "1=emial"}, []string{`no field "emial"`, "did you mean email?"}},
		"a field unknown":       {csvfile.Format{Columns: "1=xyzzyxyzzy"}, []string{"fields are", "expires_at", "custom:NAME"}},
		"validity in one":       {csvfile.Format{Columns: "1=validity"}, []string{"activates_at and expires_at"}},
		"pictures":              {csvfile.Format{Columns: "1=picture"}, []string{"pictures do not come"}},
		"custom without name":   {csvfile.Format{Columns: "1=custom:"}, []string{"custom: and the name"}},
		"nobody is told apart":  {csvfile.Format{Columns: "1=first_name"}, []string{"neither sync_id nor email"}},
		"a field twice":         {csvfile.Format{Columns: "1=email,2=email"}, []string{"both column 1 and column 2 are email"}},
		"a column twice":        {csvfile.Format{Columns: "A=email,A=phone"}, []string{`"A" is named twice`}},
		"an option too many":    {csvfile.Format{Columns: "1=email:hex"}, []string{"email has no option", "no options"}},
		"an option unknown":     {csvfile.Format{Columns: "1=email,2=card:foo=bar"}, []string{"card has no option foo", "facility:number"}},
		"no such zone":          {csvfile.Format{Columns: "1=email,2=expires_at:zone=Europe/Atlantis"}, []string{"Europe/Atlantis", "Europe/Berlin"}},
		"no date format":        {csvfile.Format{Columns: "1=email,2=expires_at:dd.mm"}, []string{"lacks the year"}},
		"date with a letter":    {csvfile.Format{Dates: "dd.mm.jjjj"}, []string{`"j"`, "stands for nothing"}},
		"day twice":             {csvfile.Format{Dates: "dd.dd.yyyy"}, []string{"dd twice"}},
		"facility of a number":  {csvfile.Format{Columns: "1=email,2=card:number;facility:number"}, []string{"no facility code", "wiegand26"}},
		"card format":           {csvfile.Format{Columns: "1=email,2=card:no such!"}, []string{"no format of a credential"}},
		"header":                {csvfile.Format{Header: "maybe"}, []string{"maybe", "yes, no or detect"}},
		"header no but names":   {csvfile.Format{Header: "no", Columns: "A=email"}, []string{"named by its header, but header is no"}},
		"delimiter":             {csvfile.Format{Delimiter: "hash"}, []string{"hash", "semicolon"}},
		"encoding":              {csvfile.Format{Encoding: "latin9"}, []string{"latin9", "windows-1252"}},
		"ID has its own column": {csvfile.Format{ID: "email"}, []string{"email has a column of its own"}},
		"ID unknown":            {csvfile.Format{ID: "crad"}, []string{"did you mean card?"}},
		"split by digits":       {csvfile.Format{Split: "1"}, []string{"split", "none"}},
		"split of a column":     {csvfile.Format{Columns: "1=email,2=groups:split=x"}, []string{"column 2", "separators"}},
		"a word for both":       {csvfile.Format{Active: []string{"x"}, Inactive: []string{"X"}}, []string{`"x" stands for both`}},
		"all at once":           {csvfile.Format{Columns: "1=emial,2", Header: "maybe", Zone: "x"}, []string{"emial", `"2"`, "maybe", "zone"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			err := tc.format.Validate()
			if err == nil {
				t.Fatal("no fault found")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v\nlacks %s", err, w)
				}
			}
		})
	}
}

func TestFormatWords(t *testing.T) {
	for name, f := range map[string]csvfile.Format{
		"zero":          {},
		"detect":        {Header: "detect", Delimiter: "Detect", Encoding: "DETECT"},
		"names":         {Header: "Yes", Delimiter: "Semicolon", Encoding: "UTF-16LE", Split: "none", ID: "mobile"},
		"characters":    {Delimiter: "\t"},
		"pipe":          {Delimiter: "|", Encoding: "utf8"},
		"layout of Go":  {Dates: "2006-01-02"},
		"zone":          {Zone: "America/New_York", Dates: "mm/dd/yyyy hh:mm:ss am"},
		"words":         {Active: []string{"A"}, Inactive: []string{"B"}, Yes: []string{"X"}, No: []string{"-"}},
		"ID with a way": {ID: "card:facility:number"},
	} {
		if err := f.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is written of a column is read back as the same.
func TestColumnsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ a-zA-Z0-9"=;:,ü|/-]{1,12}`).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
		c := csvfile.Column{Field: "email"}
		if rapid.Bool().Draw(t, "by position") {
			c.Position = rapid.IntRange(1, 99).Draw(t, "position")
		} else {
			c.Header = word.Draw(t, "header")
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			c.Field = "custom:" + word.Draw(t, "custom")
		case 1:
			c.Field, c.Notation, c.CardFormat = "card", "facility:number", "wiegand34"
			c.Split = rapid.SampledFrom([]string{"", "|", ";", ",", "none", "/;"}).Draw(t, "split")
		case 2:
			c.Field, c.Date, c.Zone, c.EndOfDay = "expires_at", "dd.mm.yyyy hh:mm", "Europe/Berlin", rapid.Bool().Draw(t, "end of day")
		}
		text := c.String()
		got, err := csvfile.ParseColumns(text + ",E-Mail of the test=sync_id")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got[0].String() != text || got[0].Field != c.Field || got[0].Header != c.Header || got[0].Position != c.Position || got[0].Split != c.Split {
			t.Fatalf("%+v became %s became %+v", c, text, got[0])
		}
	})
}
