package roster

import "doorsync/protocol"

// SourceReader reads sources and whom they name.
type SourceReader interface {
	SourceRows() ([]SourceRow, error) // by name
	// Named are all whom a source names after an identity, in order of identity.
	// It returns false to stop.
	Named(s protocol.Source, after Identity, fn func(SourceUser) bool) error
	NamedOne(s protocol.Source, id Identity) (SourceUser, bool, error)
	// NamedBy are the rows of any source that name the user, by source and identity.
	NamedBy(guid string) ([]NamedUser, error)
}

// NamedUser is a row of a source that names a user.
type NamedUser struct {
	Source protocol.Source
	SourceUser
}

// SourceWriter writes them. Rows that are new come fastest in order of identity.
type SourceWriter interface {
	PutSource(row SourceRow) error
	DropSource(s protocol.Source) error
	PutNamed(s protocol.Source, rows []SourceUser) error
	DropNamed(s protocol.Source, ids []Identity) error
}

// KeyRow says that a user has a value of a global key.
type KeyRow struct {
	Key  KeyHash
	GUID string
}

// KeyReader finds users by global keys.
type KeyReader interface {
	// Keys are all rows of a hash or later ones, in order of hash, then of GUID.
	Keys(from KeyHash, fn func(KeyRow) bool) error
	KeyHolders(k KeyHash) (guids []string, err error)
}

// KeyWriter writes global keys. New ones come fastest in order.
type KeyWriter interface {
	PutKeys(rows []KeyRow) error
	DropKeys(rows []KeyRow) error
	// ClearKeys drops all, before they are made anew.
	ClearKeys() error
}

// MergeRow is what two users were before they were merged, to split them again.
type MergeRow struct {
	GUID string // of the user that went
	Row  []byte
}

// MergeReader reads merges.
type MergeReader interface {
	MergeOf(guid string) (MergeRow, bool, error)
}

// MergeWriter writes merges.
type MergeWriter interface {
	PutMerge(row MergeRow) error
	DropMerge(guid string) error
}

// RunReader reads runs and the outbox.
type RunReader interface {
	// Runs are those of a source, newest first. It returns false to stop.
	Runs(s protocol.Source, fn func(RunRow) bool) error
	Run(s protocol.Source, number uint64) (RunRow, bool, error)
	// Mails are those that wait after an ID, oldest first.
	Mails(after uint64, fn func(MailRow) bool) error
}

// RunWriter writes runs and the outbox.
type RunWriter interface {
	PutRun(row RunRow) error
	PutMails(rows []MailRow) error // those of ID 0 are given one
	DropMail(id uint64) error
}
