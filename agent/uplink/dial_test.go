package uplink

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestCall: the line is dead for a minute, and swallows calls; the first call
// after its return is the one that counts.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Minute)
		var open atomic.Int64
		d := dialer(func(ctx context.Context, _ string) (net.Conn, error) {
			open.Add(1)
			defer open.Add(-1)
			if time.Now().Before(back) {
				<-ctx.Done() // nobody answers, even when the line is back
				return nil, ctx.Err()
			}
			here, _ := net.Pipe()
			return here, nil
		})
		for {
			conn, err := d.call(t.Context(), "broker:1883")
			if err == nil {
				_ = conn.Close()
				break
			}
			if !errors.Is(err, errNoAnswer) {
				t.Fatal(err)
			}
			if n := open.Load(); n != 0 {
				t.Fatalf("%d calls were left behind", n)
			}
		}
		if late := time.Since(back); late > time.Second {
			t.Errorf("the line's return was noticed after %v", late)
		}
		if n := open.Load(); n != 0 {
			t.Errorf("%d calls were left behind", n)
		}
	})
}

func TestCallFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("connection refused")
		d := dialer(func(context.Context, string) (net.Conn, error) { return nil, refused })
		if _, err := d.call(t.Context(), "broker:1883"); !errors.Is(err, refused) {
			t.Error(err)
		}
	})
}

func TestMQTTAddress(t *testing.T) {
	for url, want := range map[string]string{
		"mqtt://host": "", "mqtts://host": "", "tcp://[::1]:99": "",
		"host:1883": "must look like", "http://host": "unknown scheme", "": "must look like",
	} {
		_, err := MQTT(MQTTOptions{URL: url, Site: "LYON"})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", url, err, want)
		}
	}
}
