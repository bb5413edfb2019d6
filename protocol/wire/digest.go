package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"doorsync/protocol"
)

// Buckets is into how many parts the users of a site are divided to find a
// difference.
const Buckets = 256

// SumSize is the length of sums and digests, in bytes.
const SumSize = 16

// Sum names a user's state at a site. Digests are sums laid over one another.
type Sum [SumSize]byte

// Bucket tells which bucket a user is in.
func Bucket(guid string) uint8 {
	h := sha256.Sum256([]byte(guid))
	return h[0]
}

// Sum is the hash over everything a site holds of the user.
func (c Change) Sum() Sum {
	h := sha256.New()
	h.Write([]byte(c.GUID))
	for _, id := range c.IDs {
		h.Write([]byte{0})
		h.Write([]byte(id))
	}
	h.Write([]byte{1})
	h.Write(c.Record)
	return Sum(h.Sum(nil)[:SumSize])
}

// Toggle adds a sum to a digest, or takes it away again: the order in which
// users come and go does not matter.
func (s *Sum) Toggle(o Sum) {
	for i := range s {
		s[i] ^= o[i]
	}
}

// Root is the digest over all buckets.
func Root(buckets *[Buckets]Sum) Sum {
	h := sha256.New()
	for i := range buckets {
		h.Write(buckets[i][:])
	}
	return Sum(h.Sum(nil)[:SumSize])
}

// KeyHash is what credentials are looked up by at a site.
func KeyHash(k protocol.CredentialKey) uint64 {
	h := sha256.Sum256([]byte(k))
	return binary.BigEndian.Uint64(h[:8])
}

// RevokedHash hides a revoked credential's key from whoever lacks the salt.
func RevokedHash(salt []byte, k protocol.CredentialKey) []byte {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte(k))
	return m.Sum(nil)[:SumSize]
}

// EntryHash links an entry to the one before it: the hash over all of it, its
// Prev included.
func (c *Codec) EntryHash(e protocol.Entry) ([]byte, error) {
	b, err := c.Marshal(e)
	if err != nil {
		return nil, err
	}
	h := sha256.Sum256(b)
	return h[:], nil
}
