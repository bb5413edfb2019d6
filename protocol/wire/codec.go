package wire

import (
	"errors"
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"doorsync/protocol"
)

// Version is the version of the envelope. Fields may be added to any message
// without changing it: readers ignore what they do not know.
const Version = 1

// Limits of a message, in bytes: as sent, and unpacked.
const (
	MaxMessage  = 1 << 20
	MaxUnpacked = 8 << 20
)

const (
	maxElements  = 1 << 20 // of a list or map
	envelopeSize = 16      // what an envelope adds, at most
)

// Errors of Decode, to be counted and dropped.
var (
	ErrMalformed = errors.New("malformed message")
	ErrTooLarge  = errors.New("message too large")
	ErrVersion   = errors.New("message of a later version; update this program")
)

// envelope is what every message travels in. Body is the CBOR of the message,
// zstd-compressed if Packed.
type envelope struct {
	Version int    `cbor:"v"`
	Packed  bool   `cbor:"z,omitempty"`
	Body    []byte `cbor:"b"`
}

// Codec encodes and decodes messages and stored values. It is safe for use by
// several goroutines.
type Codec struct {
	enc    cbor.EncMode
	dec    cbor.DecMode
	packer *zstd.Encoder
	opener *zstd.Decoder
	bodies sync.Pool // of *[]byte: messages in the making
}

// NewCodec returns a codec: deterministic CBOR, bounded in depth and size.
func NewCodec() (*Codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("new codec: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 16,
		MaxArrayElements: maxElements, MaxMapPairs: maxElements, IndefLength: cbor.IndefLengthForbidden,
		TagsMd: cbor.TagsForbidden,
	}.DecMode()
	if err != nil {
		return nil, fmt.Errorf("new codec: %w", err)
	}
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10))
	if err != nil {
		return nil, fmt.Errorf("new codec: %w", err)
	}
	opener, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxUnpacked), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("new codec: %w", err)
	}
	return &Codec{
		enc: enc, dec: dec, packer: packer, opener: opener,
		bodies: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Marshal encodes a value for storage.
func (c *Codec) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case protocol.Record:
		return appendRecord(make([]byte, 0, recordSize(v)), v), nil
	case protocol.Entry:
		return appendEntry(make([]byte, 0, entrySize(&v)), v), nil
	}
	return c.enc.Marshal(v)
}

// Unmarshal decodes a stored value into v, a pointer to a zero value.
func (c *Codec) Unmarshal(b []byte, v any) error {
	r := items{b: b}
	switch v := v.(type) {
	case *protocol.Record:
		if rec := r.record(); r.done() {
			*v = rec
			return nil
		}
	case *protocol.Entry:
		if e := r.entry(); r.done() {
			*v = e
			return nil
		}
	}
	return c.dec.Unmarshal(b, v)
}

// UnmarshalValues decodes a stored record without its credentials and groups,
// which are most of it.
func (c *Codec) UnmarshalValues(b []byte) (protocol.Record, error) {
	r := items{b: b}
	if rec := r.recordOf(false); r.done() {
		return rec, nil
	}
	var rec protocol.Record
	err := c.dec.Unmarshal(b, &rec)
	rec.Credentials, rec.Groups = nil, nil
	return rec, err
}

// Encode writes a message for the wire.
func (c *Codec) Encode(msg any) ([]byte, error) {
	buf := c.bodies.Get().(*[]byte)
	defer c.bodies.Put(buf)
	body, err := c.appendBody((*buf)[:0], msg)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", msg, err)
	}
	*buf = body
	packed := c.pays(body)
	if packed {
		body = c.packer.EncodeAll(body, nil)
	}
	out := appendEnvelope(make([]byte, 0, len(body)+envelopeSize), packed, body)
	if len(out) > MaxMessage {
		return nil, fmt.Errorf("encode %T of %d bytes: %w", msg, len(out), ErrTooLarge)
	}
	return out, nil
}

func (c *Codec) appendBody(b []byte, msg any) ([]byte, error) {
	switch m := msg.(type) {
	case Journal:
		return appendJournal(b, &m), nil
	case StoredJournal:
		return appendStoredJournal(b, &m), nil
	case Changes:
		return c.appendChanges(b, &m)
	case *Changes:
		return c.appendChanges(b, m)
	}
	body, err := c.enc.Marshal(msg)
	return append(b, body...), err
}

func (c *Codec) appendChanges(b []byte, m *Changes) ([]byte, error) {
	var settings []byte
	if m.Settings != nil {
		var err error
		if settings, err = c.enc.Marshal(m.Settings); err != nil {
			return nil, err
		}
	}
	return appendChanges(b, m, settings), nil
}

const sample = 2 << 10

// pays tells from a piece in the middle whether compression would save a third:
// templates are noise, names and groups are not.
func (c *Codec) pays(body []byte) bool {
	if len(body) < 2*sample {
		return false
	}
	mid := len(body)/2 - sample/2
	return len(c.packer.EncodeAll(body[mid:mid+sample], nil)) < sample*2/3
}

// Decode reads a message from the wire into msg, a pointer to a zero struct. The
// records of Changes are parts of b, which must not be changed afterwards.
func (c *Codec) Decode(b []byte, msg any) error {
	if len(b) > MaxMessage {
		return fmt.Errorf("decode %T of %d bytes: %w", msg, len(b), ErrTooLarge)
	}
	r := items{b: b}
	env := r.envelope()
	if !r.done() {
		env = envelope{}
		if err := c.dec.Unmarshal(b, &env); err != nil {
			return fmt.Errorf("decode %T: %w: %w", msg, ErrMalformed, err)
		}
	}
	if env.Version != Version {
		return fmt.Errorf("decode %T: version %d: %w", msg, env.Version, ErrVersion)
	}
	body := env.Body
	if env.Packed {
		var err error
		if body, err = c.unpack(body); err != nil {
			return fmt.Errorf("decode %T: %w", msg, err)
		}
	}
	if c.decodeKnown(body, msg) {
		return nil
	}
	if err := c.dec.Unmarshal(body, msg); err != nil {
		return fmt.Errorf("decode %T: %w: %w", msg, ErrMalformed, err)
	}
	return nil
}

// decodeKnown decodes a message that has a decoder of its own, if it is as this
// version writes it.
func (c *Codec) decodeKnown(body []byte, msg any) bool {
	r := items{b: body}
	switch m := msg.(type) {
	case *Journal:
		if j := r.journal(); r.done() {
			*m = j
			return true
		}
	case *Changes:
		changes, settings := r.changes()
		if !r.done() {
			return false
		}
		if settings != nil && c.dec.Unmarshal(settings, &changes.Settings) != nil {
			return false
		}
		*m = changes
		return true
	}
	return false
}

func (c *Codec) unpack(b []byte) ([]byte, error) {
	out, err := c.opener.DecodeAll(b, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}
