package wire

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// Version is the version of the envelope. Fields may be added to any message
// without changing it: readers ignore what they do not know.
const Version = 1

// Limits of a message, in bytes: as sent, and unpacked.
const (
	MaxMessage  = 1 << 20
	MaxUnpacked = 8 << 20
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
}

// NewCodec returns a codec: deterministic CBOR, bounded in depth and size.
func NewCodec() (*Codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("new codec: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 16,
		MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20, IndefLength: cbor.IndefLengthForbidden,
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
	return &Codec{enc: enc, dec: dec, packer: packer, opener: opener}, nil
}

// Marshal encodes a value for storage.
func (c *Codec) Marshal(v any) ([]byte, error) { return c.enc.Marshal(v) }

// Unmarshal decodes a stored value.
func (c *Codec) Unmarshal(b []byte, v any) error { return c.dec.Unmarshal(b, v) }

// Encode writes a message for the wire.
func (c *Codec) Encode(msg any) ([]byte, error) {
	body, err := c.enc.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", msg, err)
	}
	env := envelope{Version: Version, Body: body}
	if c.pays(body) {
		env.Packed, env.Body = true, c.packer.EncodeAll(body, nil)
	}
	out, err := c.enc.Marshal(env)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", msg, err)
	}
	if len(out) > MaxMessage {
		return nil, fmt.Errorf("encode %T of %d bytes: %w", msg, len(out), ErrTooLarge)
	}
	return out, nil
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

// Decode reads a message from the wire into msg, a pointer to its struct.
func (c *Codec) Decode(b []byte, msg any) error {
	if len(b) > MaxMessage {
		return fmt.Errorf("decode %T of %d bytes: %w", msg, len(b), ErrTooLarge)
	}
	var env envelope
	if err := c.dec.Unmarshal(b, &env); err != nil {
		return fmt.Errorf("decode %T: %w: %w", msg, ErrMalformed, err)
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
	if err := c.dec.Unmarshal(body, msg); err != nil {
		return fmt.Errorf("decode %T: %w: %w", msg, ErrMalformed, err)
	}
	return nil
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
