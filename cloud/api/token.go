package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Token is the hash of the bearer token that opens the API.
type Token [sha256.Size]byte

// NewToken hashes a token.
func NewToken(secret string) Token { return sha256.Sum256([]byte(secret)) }

// Matches compares in a time that does not tell how much of the token was right.
func (t Token) Matches(secret string) bool {
	got := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(got[:], t[:]) == 1
}

const tokenBytes = 32

// OpenToken reads the token file, or makes it at the first start, readable by
// its owner alone.
func OpenToken(path string) (Token, error) {
	secret, err := ReadToken(path)
	if err == nil {
		return NewToken(secret), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Token{}, err
	}
	raw := make([]byte, tokenBytes)
	_, _ = rand.Read(raw) // never fails
	secret = base64.RawURLEncoding.EncodeToString(raw)
	if err := writeToken(path, secret); err != nil {
		return Token{}, fmt.Errorf("make token file: %w", err)
	}
	return NewToken(secret), nil
}

// ReadToken reads the token from its file.
func ReadToken(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read token file: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if len(secret) < tokenBytes {
		return "", fmt.Errorf("read token file: %s holds no token of %d characters or more; remove it and start the center again to have one made", path, tokenBytes)
	}
	return secret, nil
}

// writeToken has the whole token in place or none: a half one would lock
// everybody out.
func writeToken(path, secret string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".token-*") // 0600
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(secret + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
