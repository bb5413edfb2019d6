package notify

import (
	"io"
	"net/textproto"
	"testing"
	"time"
)

// TestVerdicts holds what becomes of a mail after every answer.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		stage string
		code  int // 0: the connection ended
		want  verdict
	}{
		{"MAIL", 0, severed},
		{"MAIL", 421, away},
		{"MAIL", 451, away},
		{"MAIL", 502, away},
		{"MAIL", 553, away},
		{"RCPT", 0, severed},
		{"RCPT", 421, away},
		{"RCPT", 450, retry},
		{"RCPT", 452, retry},
		{"RCPT", 530, away},
		{"RCPT", 535, away},
		{"RCPT", 550, park},
		{"RCPT", 999, severed},
		{"DATA", 0, severed},
		{"DATA", 451, retry},
		{"DATA", 554, park},
		{"DATA", 250, severed},
		{"content", 0, severed},
		{"content", 421, away},
		{"content", 552, park},
		{"content", 554, retry},
		{"content", 250, retry},
		{"end", 0, unsure},
		{"end", 421, away},
		{"end", 450, retry},
		{"end", 552, park},
		{"end", 354, unsure},
		{"end", 200, unsure},
	} {
		var err error = io.EOF
		if c.code != 0 {
			err = &textproto.Error{Code: c.code, Msg: "said"}
		}
		f, ok := (&session{}).failed(c.stage, err).(*failure)
		if !ok || f.verdict != c.want || f.Error() == "" {
			t.Errorf("%s, %d: got %v, want %v", c.stage, c.code, f.verdict, c.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 4: 8 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 1 << 40: time.Hour,
	} {
		if got := backoff(time.Minute, time.Hour, failures); got != want {
			t.Errorf("%d: got %v, want %v", failures, got, want)
		}
	}
}
