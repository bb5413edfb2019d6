package sqlstore

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

// What is written as a GUID takes 16 bytes, everything else is kept as it is, and
// both come back.
func TestGUIDValue(t *testing.T) {
	id := "0198c0de-0123-7abc-8def-00ff7f80a1b2"
	for _, test := range []struct {
		name, guid string
		packed     bool
	}{
		{"a GUID", id, true},
		{"the least", uuid.Nil.String(), true},
		{"the greatest", uuid.Max.String(), true},
		{"capitals", strings.ToUpper(id), false},
		{"nothing", "", false},
		{"another letter", id[:35] + "g", false},
		{"a hyphen too many", id[:34] + "-1", false},
		{"no hyphen", strings.Replace(id, "-", "0", 1), false},
		{"braces", "{" + id + "}", false},
		{"16 bytes of text", "sixteen bytes of", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := guidValue(test.guid)
			if b, ok := v.([]byte); ok != test.packed || ok && len(b) != 16 {
				t.Errorf("stored as %T", v)
			}
			var got storedGUID
			if b, ok := v.([]byte); ok && !got.fromBytes(b) {
				t.Error("not read")
			} else if !ok {
				got = storedGUID(v.(string))
			}
			if string(got) != test.guid {
				t.Errorf("came back as %q", got)
			}
		})
	}
}
