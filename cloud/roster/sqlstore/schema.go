package sqlstore

// The database says of itself whose it is (application_id) and in which form
// (user_version), so that a foreign or later file is told from ours before
// anything is read.
const (
	applicationID = 0x64727374 // "drst"
	schemaVersion = 3
	pageSize      = 4096
)

// Every page that a commit touches is written to the log, so the indexes are few.
// Events are found by time through the order in which they arrived (see
// arrivedFrom), and an entry that is sent again by reading the log of its site,
// which happens after a restore. How far journals were taken (progress) and what
// there is once (under no site) stand in one table: most commits change both.
//
// Columns that change with every edit stand in no index but revision's, what no
// statement selects by stands in one (see head.go), and what is sent to sites
// stands before what is not, so that reading it does not walk through
// contributions.
const schema = schema2 + schema3

// What the first release had.
const schema2 = `
CREATE TABLE users (
	seq           INTEGER PRIMARY KEY,
	guid          TEXT NOT NULL UNIQUE,
	sort          TEXT NOT NULL,
	revision      INTEGER NOT NULL,
	search        TEXT NOT NULL,
	head          BLOB NOT NULL,
	record        BLOB NOT NULL,
	contributions BLOB NOT NULL
) STRICT;
CREATE INDEX users_revision ON users(revision);
CREATE INDEX users_sort ON users(sort, guid);

CREATE TABLE graves (
	guid          TEXT PRIMARY KEY,
	record        BLOB NOT NULL,
	contributions BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ids (
	id    TEXT NOT NULL,
	site  TEXT NOT NULL,
	guid  TEXT NOT NULL,
	since INTEGER NOT NULL,
	by    TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (id, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX ids_guid ON ids(guid);
CREATE INDEX ids_site ON ids(site) WHERE site <> '';

CREATE TABLE creds (
	key  TEXT PRIMARY KEY,
	guid TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked (
	key     TEXT PRIMARY KEY,
	guid    TEXT NOT NULL,
	before  TEXT NOT NULL,
	wall    INTEGER NOT NULL,
	counter INTEGER NOT NULL,
	origin  TEXT NOT NULL,
	by      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
	seq     INTEGER PRIMARY KEY,
	site    TEXT NOT NULL,
	number  INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	arrived INTEGER NOT NULL,
	event   TEXT NOT NULL,
	reader  TEXT NOT NULL,
	user_id TEXT NOT NULL,
	rest    BLOB NOT NULL
) STRICT;
CREATE INDEX events_user ON events(user_id) WHERE user_id <> '';

CREATE TABLE verdicts (
	site    TEXT NOT NULL,
	epoch   TEXT NOT NULL,
	number  INTEGER NOT NULL,
	event   TEXT NOT NULL,
	user_id TEXT NOT NULL,
	detail  TEXT NOT NULL
) STRICT;
CREATE INDEX verdicts_number ON verdicts(site, epoch, number);

CREATE TABLE sites (
	name TEXT PRIMARY KEY,
	row  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE progress (
	site  TEXT NOT NULL,
	epoch TEXT NOT NULL,
	row   BLOB NOT NULL,
	PRIMARY KEY (site, epoch)
) STRICT, WITHOUT ROWID;
`

// What sources brought. GUIDs are blobs of 16 bytes where there are many of them
// (see guidValue); hashes are shifted so that they sort (see hashValue).
const schema3 = `
CREATE TABLE sources (
	name TEXT PRIMARY KEY,
	row  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE named (
	source   TEXT NOT NULL,
	identity BLOB NOT NULL,
	digest   INTEGER NOT NULL,
	guid     ANY NOT NULL,
	PRIMARY KEY (source, identity)
) STRICT, WITHOUT ROWID;

-- The index of named by guid. It is written by itself, in its own order.
CREATE TABLE namers (
	guid     ANY NOT NULL,
	source   TEXT NOT NULL,
	identity BLOB NOT NULL,
	PRIMARY KEY (guid, source, identity)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
	hash INTEGER NOT NULL,
	guid ANY NOT NULL,
	PRIMARY KEY (hash, guid)
) STRICT, WITHOUT ROWID;

CREATE TABLE merges (
	guid TEXT PRIMARY KEY,
	row  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
	source TEXT NOT NULL,
	number INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	report BLOB NOT NULL,
	PRIMARY KEY (source, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE mails (
	id   INTEGER PRIMARY KEY AUTOINCREMENT, -- an ID is never given twice
	mail BLOB NOT NULL
) STRICT;

CREATE TABLE known_groups (
	name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE fields (
	name TEXT PRIMARY KEY,
	row  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
`
