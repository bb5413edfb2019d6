package journal

import (
	"testing"
	"unicode/utf8"

	"doorsync/protocol"
)

// A terminal can show bytes that are no text. They must not make an entry that
// nobody can read: it would stop everything behind it.
func TestAppendReplacesWhatIsNoText(t *testing.T) {
	s := open1(t)
	s.edit(protocol.Edit{
		UserID: "4\xff", Values: map[protocol.Field]protocol.Value{protocol.FieldName: {First: "Ann\xe4"}},
		Given: []protocol.Credential{{Kind: protocol.KindCard, Format: "\xfe", Number: "77"}},
	})
	made := s.edit(protocol.Edit{UserID: "5", Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text("Änne")}})
	raw, err := s.Pending(0, 10, 1<<20)
	s.must(err)
	var e protocol.Entry
	for _, r := range raw {
		if !utf8.Valid([]byte(e.UserID)) || s.codec.Unmarshal(r.Data, &e) != nil {
			t.Errorf("entry %d cannot be read again", r.Number)
		}
	}
	if v, ok := s.user("4\uFFFD"); !ok || v.User.FullName() != "Ann\uFFFD" {
		t.Error("the user is not there under what can be read of the ID")
	}
	if got := made[0].Edit.Values[protocol.FieldName].First; got != "Änne" {
		t.Errorf("text became %q", got)
	}
}
