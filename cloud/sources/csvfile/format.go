package csvfile

// Format says how a file is to be read. The zero Format has everything detected
// and takes the columns from the header, or where there is none in the order
// first name, last name, e-mail address, ID, and optionally sync ID.
type Format struct {
	// Columns says which column is what, as ParseColumns reads it:
	// "Vorname=first_name,3=email,Karte=card:wiegand26;facility:number".
	// Columns that it does not name are not read.
	Columns string `json:"columns,omitempty" yaml:"columns,omitempty"`
	// Header says whether the first row names the columns: "yes", "no", or
	// "detect", which "" means as well.
	Header string `json:"header,omitempty" yaml:"header,omitempty"`
	// Delimiter is "comma", "semicolon", "tab", "pipe" or the character itself;
	// "" or "detect".
	Delimiter string `json:"delimiter,omitempty" yaml:"delimiter,omitempty"`
	// Encoding is "utf-8", "utf-16", "utf-16le", "utf-16be" or "windows-1252"; ""
	// or "detect". A byte order mark is taken off in any case.
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"`
	// Dates names the format of dates, such as "dd.mm.yyyy", "mm/dd/yyyy hh:mm",
	// "yyyy-mm-dd hh:mm:ss zone", for columns that name none of their own. "" is
	// yyyy-mm-dd, with or without time and zone.
	Dates string `json:"dates,omitempty" yaml:"dates,omitempty"`
	// Zone is the time zone of dates that say none, such as "Europe/Berlin"; ""
	// is UTC.
	Zone string `json:"zone,omitempty" yaml:"zone,omitempty"`
	// ID is what the column ID is where Columns names none: a field as in Columns,
	// such as "mobile" or "card:hex". "" is "card", a card's bare number.
	ID string `json:"id,omitempty" yaml:"id,omitempty"`
	// Split are the characters between several cards or groups in one cell, for
	// columns that name none of their own; "none" for one card or group a cell.
	// "" is "|", ";" and line breaks, less the delimiter.
	Split string `json:"split,omitempty" yaml:"split,omitempty"`
	// Active and Inactive are words for the two states besides those known in
	// English and German (active, yes, true, on, 1, aktiv, ja …).
	Active   []string `json:"active,omitempty" yaml:"active,omitempty"`
	Inactive []string `json:"inactive,omitempty" yaml:"inactive,omitempty"`
	// Yes and No are words of the columns antipassback_exempt and extended_grant
	// besides those known.
	Yes []string `json:"yes,omitempty" yaml:"yes,omitempty"`
	No  []string `json:"no,omitempty" yaml:"no,omitempty"`
}
