package journal

import (
	"bytes"
	"fmt"
	"time"
)

// storedGivenUp is a GivenUp in the file.
type storedGivenUp struct {
	Reader string `cbor:"reader"`
	Key    string `cbor:"key"`
	UserID string `cbor:"user,omitempty"`
	Reason string `cbor:"reason"`
	Tries  int    `cbor:"tries"`
	At     int64  `cbor:"at"` // milliseconds
	Want   []byte `cbor:"want,omitempty"`
}

// GivenUp returns the writes that were given up, of one reader or ("") of all.
func (j *Journal) GivenUp(reader string) (out []GivenUp, err error) {
	err = j.read(func(r *reading) error {
		var prefix []byte
		if reader != "" {
			prefix = givenUpKey(GivenUpKey{Reader: reader})
		}
		c := r.bucket(inGivenUp).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var s storedGivenUp
			if err := j.codec.Unmarshal(v, &s); err != nil {
				return j.damaged(fmt.Errorf("given up %q: %w", k, err))
			}
			out = append(out, GivenUp{
				GivenUpKey: GivenUpKey{Reader: s.Reader, Key: s.Key}, UserID: s.UserID,
				Reason: s.Reason, Tries: s.Tries, At: time.UnixMilli(s.At), Want: s.Want,
			})
		}
		return nil
	})
	return out, err
}
