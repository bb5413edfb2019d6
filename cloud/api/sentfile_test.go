package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// dated is an answer that notes until when more may come.
type dated struct {
	*httptest.ResponseRecorder

	until time.Time
}

func (d *dated) SetReadDeadline(t time.Time) error {
	d.until = t
	return nil
}

// TestAFileMayTakeLong: only a pause is bounded while it comes in, and nothing once
// it is here, or an import that works longer than a pause would be ended.
func TestAFileMayTakeLong(t *testing.T) {
	d := &dated{ResponseRecorder: httptest.NewRecorder()}
	f := &sentFile{from: strings.NewReader("a,b"), control: http.NewResponseController(d), all: make(chan struct{})}
	if _, err := f.Read(make([]byte, 2)); err != nil || time.Until(d.until) < filePatience/2 {
		t.Errorf("while it comes in: until %v, %v", d.until, err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil || !d.until.IsZero() {
		t.Errorf("at the end: until %v, %v", d.until, err)
	}
	<-f.all
	if n, err := f.Read(make([]byte, 2)); n != 0 || err == nil || !d.until.IsZero() {
		t.Errorf("after the end: %d, %v, until %v", n, err, d.until)
	}
}
