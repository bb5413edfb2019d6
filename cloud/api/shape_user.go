package api

import "time"

// User is one user as people and programs see it. Secrets are not in it: of a
// PIN only that there is one, of a template only its format, finger and size.
type User struct {
	ID          string            `json:"id" doc:"The user ID that readers know" example:"4"`
	GUID        string            `json:"guid"`
	Aliases     []string          `json:"aliases,omitempty" doc:"Earlier user IDs that still lead here"`
	Name        string            `json:"name" doc:"The name that readers are given"`
	Values      map[string]string `json:"values" doc:"Values in effect, by field"`
	Validity    *Validity         `json:"validity,omitempty"`
	HasPIN      bool              `json:"has_pin"`
	Credentials []Credential      `json:"credentials"`
	Groups      []string          `json:"groups"`
	State       string            `json:"state" enum:"active,inactive" doc:"Whether readers let the user in at all"`
	Conflict    string            `json:"conflict,omitempty" doc:"The site that alone knows this user, until a person has decided whose the user ID is"`
	Removed     bool              `json:"removed,omitempty" doc:"Deleted; can be restored"`
	EnrolledBy  string            `json:"enrolled_by,omitempty" doc:"The site that enrolled the user; empty for the office"`
	Revision    uint64            `json:"revision" doc:"Of the roster, when the user was last changed"`
}

// Validity is the span in which a user may enter. What is empty is open.
type Validity struct {
	ActivatesAt string `json:"activates_at,omitempty" example:"2026-11-22T08:00:00Z"`
	ExpiresAt   string `json:"expires_at,omitempty" example:"2027-01-01T00:00:00Z"`
}

// Credential is what a reader checks, without its secrets.
type Credential struct {
	Key    string  `json:"key" doc:"Identifies the credential, for revoke, allow and take"`
	Kind   string  `json:"kind" example:"card"`
	Format string  `json:"format,omitempty" example:"number"`
	Number string  `json:"number,omitempty" example:"6543"`
	Bits   uint16  `json:"bits,omitempty"`
	Finger *uint8  `json:"finger,omitempty" doc:"0 to 9, from the left little finger to the right"`
	Size   int     `json:"size,omitempty" doc:"Of the template, in bytes"`
	Duress bool    `json:"duress,omitempty" doc:"Used under threat"`
	State  string  `json:"state" enum:"given,withdrawn,refused,revoked" doc:"Only a given one opens doors"`
	By     []Giver `json:"by" doc:"Every source's word on it"`
}

// Giver is one source's word on a credential or a group.
type Giver struct {
	Source string    `json:"source" example:"office"`
	State  string    `json:"state" enum:"given,withdrawn,refused,revoked"`
	Since  time.Time `json:"since"`
	Site   string    `json:"site,omitempty" doc:"Where it was said; empty for the office"`
}

// UserPage is some users, in order.
type UserPage struct {
	Users []User `json:"users"`
	Next  string `json:"next,omitempty" doc:"Give it as after to go on; empty at the end"`
}

// Patch is what the office says about a user. What it does not name stays as
// it is.
type Patch struct {
	Set      map[string]string `json:"set,omitempty" doc:"Values by field; setting user_id renumbers"`
	PIN      string            `json:"pin,omitempty" pattern:"^[0-9]*$" maxLength:"16" doc:"Digits; never given back"`
	Validity *Span             `json:"validity,omitempty"`
	Blank    []string          `json:"blank,omitempty" doc:"Fields to hold empty, whatever other sources say"`
	Withdraw []string          `json:"withdraw,omitempty" doc:"Fields about which the office no longer says anything"`
	Give     []NewCredential   `json:"give,omitempty"`
	Take     []string          `json:"take,omitempty" doc:"Keys of credentials that the office no longer gives"`
	Join     []string          `json:"join,omitempty" doc:"Access groups to put the user into"`
	Leave    []string          `json:"leave,omitempty" doc:"Access groups to take the user out of, whoever gave them"`
}

// Span changes the validity. The two ends are held by one source: an end that
// is not named stays as it is in effect, an empty one is opened.
type Span struct {
	ActivatesAt *string `json:"activates_at,omitempty"`
	ExpiresAt   *string `json:"expires_at,omitempty"`
}

// NewCredential is a credential that the office gives.
type NewCredential struct {
	Kind     string `json:"kind" example:"card"`
	Format   string `json:"format,omitempty" doc:"Of the number (default: number) or of the template"`
	Number   string `json:"number,omitempty" pattern:"^[0-9]*$" maxLength:"64"`
	Bits     uint16 `json:"bits,omitempty"`
	Finger   uint8  `json:"finger,omitempty" maximum:"9"`
	Template []byte `json:"template,omitempty" doc:"Base64; never given back"`
	Duress   bool   `json:"duress,omitempty"`
}

// Explained tells of one value, credential or group of a user who holds it,
// since when, and what others said.
type Explained struct {
	Kind     string    `json:"kind" enum:"value,credential,group"`
	What     string    `json:"what" example:"first_name"`
	InEffect bool      `json:"in_effect"`
	Value    string    `json:"value" doc:"In effect; secrets are masked"`
	Blank    bool      `json:"blank,omitempty" doc:"Held empty"`
	Source   string    `json:"source,omitempty" doc:"That holds it"`
	Site     string    `json:"site,omitempty" doc:"Where it was said; empty for the office"`
	Since    time.Time `json:"since,omitzero"`
	Others   []Said    `json:"others,omitempty"`
}

// Said is what a source said that does not stand.
type Said struct {
	Source string    `json:"source"`
	Site   string    `json:"site,omitempty"`
	Value  string    `json:"value,omitempty"`
	State  string    `json:"state,omitempty" doc:"Of a credential or a group"`
	At     time.Time `json:"at,omitzero"`
}

// Explanation is everything about a user, with who says it.
type Explanation struct {
	User  User        `json:"user"`
	Items []Explained `json:"items"`
}

// Conflict is a user whose user ID was enrolled at two places for, as far as
// anybody knows, two people.
type Conflict struct {
	UserID string `json:"user_id" doc:"Enrolled twice"`
	Site   string `json:"site" doc:"Where the user in conflict was enrolled"`
	User   User   `json:"user" doc:"Known at its own site alone"`
	Holder *User  `json:"holder,omitempty" doc:"Who holds the user ID everywhere else"`
}

// Resolution is what a person decides about a conflict.
type Resolution struct {
	MergeInto string `json:"merge_into,omitempty" doc:"They are the same person: user ID or GUID of the other"`
	Renumber  string `json:"renumber,omitempty" doc:"They are two people: the user ID the conflicting one gets"`
}

// Merge names two users who are one person.
type Merge struct {
	Users []string `json:"users" minItems:"2" maxItems:"2" doc:"User IDs or GUIDs; the older GUID survives"`
}

// ConflictList is all that waits for a person's decision.
type ConflictList struct {
	Conflicts []Conflict `json:"conflicts"`
}

// CredentialKey names a credential.
type CredentialKey struct {
	Key string `json:"key" minLength:"1" maxLength:"256" example:"card|number|6543"`
}
