package roster

import (
	"errors"
	"fmt"

	"doorsync/protocol"
)

// Errors for people and programs; match with errors.Is. The text around them
// says what to do.
var (
	// ErrUnknownSite: no site of this name was added.
	ErrUnknownSite = errors.New("unknown site")
	// ErrNotFound: there is no such user, site, conflict or credential.
	ErrNotFound = errors.New("not found")
	// ErrExists: the user ID or the site name is taken.
	ErrExists = errors.New("exists already")
	// ErrRemoved: the user was deleted; restore it first.
	ErrRemoved = errors.New("user was deleted")
	// ErrInvalid: the request itself is wrong.
	ErrInvalid = errors.New("invalid")
	// ErrStale: users changed after the survey by which an import was planned, so
	// that it must be planned anew. Nothing was kept.
	ErrStale = errors.New("users changed since the import was planned")
	// ErrDamaged: the database is damaged. It is never replaced.
	ErrDamaged = errors.New("database is damaged")
	// ErrOlder: the database was written by a version before the first release.
	ErrOlder = errors.New("database is of a version before the first release")
	// ErrNewer: the database was written by a later version of the program.
	ErrNewer = errors.New("database is of a later version")
	// ErrLocked: another program has the database open.
	ErrLocked = errors.New("database is in use by another program")
	// ErrFull: the disk is full; nothing of the transaction was kept.
	ErrFull = errors.New("disk full: nothing was acknowledged")
)

// CredentialHeldError says that a credential belongs to somebody else.
type CredentialHeldError struct {
	Key        protocol.CredentialKey
	Holder     string // user ID of the holder
	HolderGUID string
}

// Error names the credential, masked, and its holder.
func (e *CredentialHeldError) Error() string {
	return fmt.Sprintf("%s is held by user %s; withdraw it there first, or revoke it", e.Key, e.Holder)
}

// CredentialRevokedError says that a credential was revoked and may not be
// given.
type CredentialRevokedError struct{ Key protocol.CredentialKey }

// Error names the credential, masked.
func (e *CredentialRevokedError) Error() string {
	return fmt.Sprintf("%s is revoked; allow it first", e.Key)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}
