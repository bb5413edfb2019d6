package csvfile

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"doorsync/protocol"
)

// headerID stands for the ID of the usual order, which Format.ID defines.
const headerID = "ID"

// headerNames are the names by which columns are known where nobody has said what
// they are, in English and German. Case, blanks and hyphens do not count.
func headerNames() map[string][]string {
	return map[string][]string{
		string(protocol.FieldFirstName):          {"First name", "Given name", "Forename", "Vorname", "Rufname", "first_name"},
		string(protocol.FieldLastName):           {"Last name", "Surname", "Family name", "Nachname", "Familienname", "Zuname", "last_name"},
		string(protocol.FieldName):               {"Name", "Full name", "Display name", "Vollständiger Name", "Anzeigename", "full_name", "Name, Vorname"},
		string(protocol.FieldEmail):              {"E-mail", "E-mail address", "Mail", "Mail address", "E-Mail-Adresse", "Mailadresse", "email"},
		string(protocol.FieldPhone):              {"Phone", "Phone number", "Telephone", "Telefon", "Telefonnummer", "Rufnummer"},
		string(protocol.FieldEmployeeNumber):     {"Employee number", "Employee ID", "Employee no", "Personnel number", "Personalnummer", "Personal-Nr", "Pers-Nr", "Mitarbeiternummer", "Mitarbeiter-Nr"},
		string(protocol.FieldDepartment):         {"Department", "Abteilung"},
		string(protocol.FieldTitle):              {"Title", "Job title", "Titel", "Funktion"},
		string(protocol.FieldState):              {"State", "Status", "Active", "Aktiv", "Zustand"},
		ColumnActivatesAt:                        {"Activates at", "Activation date", "Valid from", "Start date", "Gültig ab", "Gültig von", "Aktivierungsdatum", "Eintritt", "Eintrittsdatum"},
		ColumnExpiresAt:                          {"Expires at", "Expiration date", "Expiry date", "Valid until", "Valid to", "End date", "Gültig bis", "Ablaufdatum", "Austritt", "Austrittsdatum"},
		string(protocol.FieldUserID):             {"User ID", "User number", "Benutzer-ID", "Benutzernummer", "user_id"},
		string(protocol.FieldPIN):                {"PIN", "PIN code"},
		string(protocol.FieldAntipassbackExempt): {"Antipassback exempt", "Antipassback exemption", "Antipassback-Ausnahme"},
		string(protocol.FieldExtendedGrant):      {"Extended grant", "Extended grant time", "Verlängerte Freigabe", "Verlängerte Öffnungszeit"},
		ColumnSyncID:                             {"Sync ID", "Synchronization ID", "Sync-ID", "Synchronisations-ID", "Abgleich-ID"},
		ColumnLanguage:                           {"Language", "Sprache"},
		ColumnGroups:                             {"Groups", "Group", "Access groups", "Access group", "Gruppen", "Gruppe", "Zutrittsgruppen", "Zutrittsgruppe"},
		string(protocol.KindCard):                {"Card", "Cards", "Card number", "Card no", "Card ID", "Badge", "Badge number", "Karte", "Karten", "Kartennummer", "Karten-Nr", "Karten-ID", "Ausweis", "Ausweisnummer", "Ausweis-Nr"},
		string(protocol.KindMobile):              {"Mobile ID", "Mobile credential", "Mobile-ID"},
		headerID:                                 {"ID", "ID number", "ID-Nummer", "Identifier", "Kennung", "Credential ID"},
	}
}

// usual is the order of columns that is taken where neither a mapping nor a header
// says otherwise. The last may be missing.
func usual() []string {
	return []string{string(protocol.FieldFirstName), string(protocol.FieldLastName), string(protocol.FieldEmail), headerID, ColumnSyncID}
}

// normal is a name with only what counts in it: letters in lower case, without
// umlauts, and digits.
func normal(name string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(name) {
		switch r = unicode.ToLower(r); r {
		case 'ä':
			b.WriteString("ae")
		case 'ö':
			b.WriteString("oe")
		case 'ü':
			b.WriteString("ue")
		case 'ß':
			b.WriteString("ss")
		default:
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// recognizer knows columns by their names.
type recognizer struct{ names map[string]string } // normal name to field

func newRecognizer() recognizer {
	r := recognizer{names: map[string]string{}}
	for field, names := range headerNames() {
		for _, n := range names {
			r.names[normal(n)] = field
		}
	}
	return r
}

// field returns what a column of this name is, "" if the name says nothing. near:
// only the name is not quite one that is known.
func (r recognizer) field(name string) (field string, near bool) {
	n := normal(name)
	if f, ok := r.names[n]; ok {
		return f, false
	}
	if len(n) < 6 || strings.ContainsAny(n, "0123456789") {
		return "", false // too short to tell, or another of the same kind: E-mail 2
	}
	for known, f := range r.names {
		if len(known) < 5 || f == field || distance(n, known, 2) > 1 {
			continue
		}
		if field != "" {
			return "", false // as near to another
		}
		field = f
	}
	return field, field != ""
}

// nearest is the candidate that a person may have meant, "" if none is near.
func nearest(name string, candidates []string) string {
	n := normal(name)
	best, found := 1+(len(n)+2)/3, ""
	for _, c := range candidates {
		if d := distance(n, normal(c), best); d < best {
			best, found = d, c
		}
	}
	return found
}

// distance is how many letters must be changed, added, left out or swapped with
// the next to make one of the other; limit if so many or more.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= limit || len(y)-len(x) >= limit {
		return limit
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := range x {
		row, last, before := rows[(i+1)%3], rows[i%3], rows[(i+2)%3]
		row[0] = i + 1
		for j := range y {
			cost := last[j]
			if x[i] != y[j] {
				cost++
			}
			row[j+1] = min(cost, row[j]+1, last[j+1]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return min(rows[len(x)%3][len(y)], limit)
}
