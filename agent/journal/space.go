package journal

import (
	"encoding/binary"

	"go.etcd.io/bbolt"
)

// The parts of the file.
const (
	inEntries = iota // number -> CBOR protocol.Entry
	inRecords        // GUID -> header, CBOR wire.Change
	inIndex          // runs of (hash of user ID or credential, GUID)
	inLocal          // what changes often: head, digests, cursors, outbox
	inRows           // reader -> row key -> row
	inGivenUp        // reader, row key -> CBOR GivenUp
	inMeta           // schema, settings
	parts
)

// Indexed by the constants above.
var bucketNames = [parts]string{"entries", "records", "index", "local", "rows", "given-up", "meta"}

// Keys of inMeta, and the first byte of those of inLocal. What a lone edit
// touches in inLocal fits one page, which keeps its commit small.
var (
	keySchema   = []byte("schema")
	keySettings = []byte("settings")
	keyHead     = []byte("h")
	keySums     = []byte("hd") // beside the head: a user who arrives changes both
)

const (
	localClaim   = 'c' // hash of a credential, number -> user ID
	localCursor  = 'k' // reader -> cursor
	localOverlay = 'o' // user ID, number -> nothing
	localVerdict = 'v' // number, event -> nothing
)

// space is a transaction with its buckets, each looked up once.
type space struct {
	tx  *bbolt.Tx
	got [parts]*bbolt.Bucket
}

func (s *space) bucket(i int) *bbolt.Bucket {
	if s.got[i] == nil {
		s.got[i] = s.tx.Bucket([]byte(bucketNames[i]))
	}
	return s.got[i]
}

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func localKey(kind byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, number)
}

func claimKey(hash, number uint64) []byte {
	return binary.BigEndian.AppendUint64(localKey(localClaim, hash), number)
}

// overlayPrefix starts the keys of everything pending under one user ID; the
// length keeps "1" from finding "10".
func overlayPrefix(id string) []byte {
	b := make([]byte, 0, 3+len(id)+8)
	b = binary.BigEndian.AppendUint16(append(b, localOverlay), uint16(len(id)))
	return append(b, id...)
}

func overlayKey(id string, number uint64) []byte {
	return binary.BigEndian.AppendUint64(overlayPrefix(id), number)
}

// overlayID reads the user ID out of an overlay key.
func overlayID(k []byte) (id string, ok bool) {
	if len(k) < 3+8 || k[0] != localOverlay {
		return "", false
	}
	n := int(binary.BigEndian.Uint16(k[1:]))
	if len(k) != 3+n+8 {
		return "", false
	}
	return string(k[3 : 3+n]), true
}

// lastNumber reads the number at the end of a key.
func lastNumber(k []byte) uint64 { return binary.BigEndian.Uint64(k[len(k)-8:]) }
