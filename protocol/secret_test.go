package protocol

import (
	"fmt"
	"strings"
	"testing"
)

// No way of printing a user, an edit or an entry shows a PIN or a template.
func TestSecretsNeverPrint(t *testing.T) {
	const pin, template = "493817", "TEMPLATE-BYTES"
	u := User{ID: "4", Values: map[Field]Value{FieldPIN: Text(pin)}, Credentials: []Credential{Fingerprint("zk10", 3, []byte(template)), Card(1234567890)}}
	e := Edit{UserID: "4", Values: u.Values, Given: u.Credentials}
	c := e.Contribution(at(1), DefaultRules())
	r := Fold([]Contribution{c}, DefaultRules())
	for _, v := range []any{u, &u, e, &e, c, r, Entry{Edit: &e}, u.Credentials[0].Key(), u.Credentials[1], u.Credentials[1].Key()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			out := fmt.Sprintf(verb, v)
			for _, secret := range []string{pin, template, fmt.Sprint([]byte(template)), fmt.Sprintf("%x", template), "1234567890"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s of %T shows %q: %s", verb, v, secret, out)
				}
			}
		}
	}
	if got := FieldPIN.Show(Text(pin)); got != "****" {
		t.Errorf("Show(pin) = %q", got)
	}
}
