package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a credential is (ONVIF: credential identifier type). A PIN is
// a kind of credential to readers, but two people may have the same one, so it
// is merged as a value (FieldPIN), not as an element of this set.
type Kind string

// The kinds of credential.
const (
	KindCard         Kind = "card"
	KindPIN          Kind = "pin"
	KindFingerprint  Kind = "fingerprint"
	KindFace         Kind = "face"
	KindMobile       Kind = "mobile"
	KindSecureCard   Kind = "secure_credential"
	KindAccessOnCard Kind = "access_on_card"
)

// Kinds are all kinds, in the order in which people are shown them.
func Kinds() []Kind {
	return []Kind{KindCard, KindPIN, KindFingerprint, KindFace, KindMobile, KindSecureCard, KindAccessOnCard}
}

// Biometric reports whether credentials of this kind carry a template.
func (k Kind) Biometric() bool { return k == KindFingerprint || k == KindFace }

// FormatNumber is the format of a card that is known by its bare number, as
// terminals and controllers with a user table show it.
const FormatNumber = "number"

// Credential is what a reader checks (ONVIF: credential identifier). Which
// fields are set depends on Kind: cards, smart cards and mobiles have Number,
// templates have Slot and Template.
type Credential struct {
	Kind     Kind   `cbor:"kind" json:"kind"`
	Format   string `cbor:"format,omitempty" json:"format,omitempty"`     // of the number (FormatNumber, wiegand26 …) or template (zk9, zk10 …)
	Number   string `cbor:"number,omitempty" json:"number,omitempty"`     // unsigned decimal without leading zeros, any width
	Bits     uint16 `cbor:"bits,omitempty" json:"bits,omitempty"`         // length on the wire where known, e.g. 26
	Slot     uint8  `cbor:"slot,omitempty" json:"slot,omitempty"`         // finger 0 to 9: left little 0 … left thumb 4, right thumb 5 … right little 9
	Template []byte `cbor:"template,omitempty" json:"template,omitempty"` // biometric data in Format
	Hash     string `cbor:"hash,omitempty" json:"hash,omitempty"`         // names a template where its bytes are not kept
	Duress   bool   `cbor:"duress,omitempty" json:"duress,omitempty"`     // used under threat
}

// Card is a card known by its bare number.
func Card(number uint64) Credential {
	return Credential{Kind: KindCard, Format: FormatNumber, Number: strconv.FormatUint(number, 10)}
}

// Fingerprint is a finger's template.
func Fingerprint(format string, finger uint8, template []byte) Credential {
	return Credential{Kind: KindFingerprint, Format: format, Slot: finger, Template: template}
}

// CredentialKey identifies a credential: type, format and value. Templates are
// named by their hash, so a key gives no template away.
type CredentialKey string

// Key returns the identity of the credential.
func (c Credential) Key() CredentialKey {
	if c.Kind.Biometric() {
		return CredentialKey(strings.Join([]string{string(c.Kind), c.Format, strconv.Itoa(int(c.Slot)), c.hash()}, "|"))
	}
	return CredentialKey(strings.Join([]string{string(c.Kind), c.Format, c.Number}, "|"))
}

func (c Credential) hash() string {
	if len(c.Template) == 0 {
		return c.Hash
	}
	sum := sha256.Sum256(c.Template)
	return hex.EncodeToString(sum[:16])
}

// Valid reports what is wrong with a credential, in words for the person who
// typed it.
func (c Credential) Valid() error {
	switch c.Kind {
	case KindFingerprint, KindFace:
		if len(c.Template) == 0 || c.Format == "" {
			return fmt.Errorf("%s: needs a template and its format", c.Kind)
		}
		if c.Kind == KindFingerprint && c.Slot > 9 {
			return fmt.Errorf("%s: finger %d; fingers are 0 to 9", c.Kind, c.Slot)
		}
	case KindCard, KindMobile, KindSecureCard, KindAccessOnCard:
		if c.Number == "" || c.Number[0] == '0' || strings.Trim(c.Number, "0123456789") != "" {
			return fmt.Errorf("%s: the number must be decimal digits without leading zeros", c.Kind)
		}
	case KindPIN:
		return fmt.Errorf("a PIN is a value: set %s", FieldPIN)
	default:
		return fmt.Errorf("unknown kind of credential %q", c.Kind)
	}
	return nil
}

// Size returns an estimate of the memory the credential takes, in bytes.
func (c Credential) Size() int { return 64 + len(c.Number) + len(c.Template) }

// String names the credential for journals and pages: numbers masked to their
// last digits, templates by finger and format alone.
func (c Credential) String() string {
	switch {
	case c.Kind == KindFingerprint:
		return fmt.Sprintf("fingerprint %d (%s)", c.Slot, c.Format)
	case c.Kind.Biometric():
		return fmt.Sprintf("%s (%s)", c.Kind, c.Format)
	default:
		return fmt.Sprintf("%s %s", c.Kind, maskNumber(c.Number))
	}
}

// GoString keeps templates out of %#v.
func (c Credential) GoString() string { return c.String() }

func maskNumber(n string) string {
	if len(n) <= 4 {
		return "…" + n
	}
	return "…" + n[len(n)-4:]
}

// String masks the key as Credential.String masks the credential.
func (k CredentialKey) String() string {
	parts := strings.Split(string(k), "|")
	switch {
	case len(parts) == 4:
		return fmt.Sprintf("%s %s (%s)", parts[0], parts[2], parts[1])
	case len(parts) == 3:
		return fmt.Sprintf("%s %s", parts[0], maskNumber(parts[2]))
	default:
		return "credential"
	}
}

// Credential rebuilds from a key what it names; a template's bytes are not in
// it, only their hash.
func (k CredentialKey) Credential() Credential {
	parts := strings.Split(string(k), "|")
	c := Credential{Kind: Kind(parts[0])}
	switch len(parts) {
	case 3:
		c.Format, c.Number = parts[1], parts[2]
	case 4:
		slot, _ := strconv.ParseUint(parts[2], 10, 8)
		c.Format, c.Slot, c.Hash = parts[1], uint8(slot), parts[3]
	}
	return c
}

// GoString masks the key in %#v as well.
func (k CredentialKey) GoString() string { return k.String() }
