package chain

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/agent/uplink"
	"doorsync/cloud/broker"
	"doorsync/cloud/roster"
)

// office is a center with a real broker.
type office struct {
	*center
	b    broker.Broker
	keys map[string]string
	stop context.CancelFunc
	wg   *sync.WaitGroup
}

// openOffice starts a center whose broker is made by open, which is given the
// roster as the one who knows the sites' keys.
func openOffice(tb testing.TB, dir string, open func(broker.Authenticator) (broker.Broker, error)) *office {
	tb.Helper()
	o := &office{keys: map[string]string{}, wg: new(sync.WaitGroup)}
	pipe := &latePipe{}
	o.center = startCenter(tb, file(dir, "roster.db"), pipe)
	for _, s := range []string{"LYON", "OSLO"} {
		key, err := o.r.AddSite(tb.Context(), roster.Actor{Name: "test"}, s, roster.SiteSettings{})
		if err != nil {
			tb.Fatal(err)
		}
		o.keys[s] = key
	}
	var err error
	if o.b, err = open(o.r); err != nil {
		tb.Fatal(err)
	}
	pipe.Broker = o.b
	var ctx context.Context
	ctx, o.stop = context.WithCancel(tb.Context())
	up := make(chan struct{}, 16)
	o.wg.Go(func() {
		err := o.b.Run(ctx, broker.Handler{Heard: o.x.Heard, Connected: func() { o.x.Connected(); up <- struct{}{} }, Lost: o.x.Lost})
		if err != nil {
			tb.Error(err)
		}
	})
	select {
	case <-up:
	case <-time.After(15 * time.Second):
		tb.Fatal("the center does not connect to its broker")
	}
	return o
}

// latePipe is the broker, once there is one.
type latePipe struct{ broker.Broker }

func (o *office) close() {
	o.stop()
	o.wg.Wait()
	if err := o.b.Close(); err != nil {
		o.t.Error(err)
	}
	o.center.close()
}

func (o *office) site(tb testing.TB, dir, name, address string, qos byte) *site {
	tb.Helper()
	connect, err := uplink.MQTT(uplink.MQTTOptions{URL: "mqtt://" + address, Site: name, Password: o.keys[name], QoS: qos})
	if err != nil {
		tb.Fatal(err)
	}
	return startSite(tb, name, file(dir, name+".db"), connect, nil)
}

// hop enrolls at one site and waits, woken by the journal, until the other has
// the user.
func hop(tb testing.TB, from, to *site, sub *journal.Subscription, id int) time.Duration {
	tb.Helper()
	begun := time.Now()
	from.enroll(id)
	late := time.After(10 * time.Second)
	for to.user(fmt.Sprint(id)) == "" {
		select {
		case <-sub.C():
			sub.Take()
		case <-late:
			tb.Fatalf("user %d does not arrive", id)
		}
	}
	return time.Since(begun)
}

func talk(t *testing.T, o *office, dir, address string, qos byte) {
	t.Helper()
	lyon, oslo := o.site(t, dir, "LYON", address, qos), o.site(t, dir, "OSLO", address, qos)
	until(t, 10*time.Second, settled(o.center, lyon, oslo))
	sub := oslo.j.Subscribe()
	var took []time.Duration
	for i := range 200 {
		took = append(took, hop(t, lyon, oslo, sub, 5000+i))
	}
	sub.Close()
	slices.Sort(took)
	t.Logf("edit at LYON to OSLO: p50 %v, p99 %v", took[len(took)/2], took[len(took)*99/100])
	for i := range 60 {
		lyon.enroll(1000 + i)
		oslo.enroll(2000+i, 3000+i)
	}
	until(t, 20*time.Second, settled(o.center, lyon, oslo))
	everybody(t, o.center, lyon, oslo)
	lyon.close()
	oslo.close()
}

func TestEmbeddedBroker(t *testing.T) {
	for qos := range byte(2) {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			dir := t.TempDir()
			o := openOffice(t, dir, func(sites broker.Authenticator) (broker.Broker, error) {
				return broker.OpenEmbedded(broker.EmbeddedOptions{Listen: "127.0.0.1:0", Dir: dir, Sites: sites, Logger: logger(t, "broker")})
			})
			talk(t, o, dir, o.b.Address(), qos)
			o.close()
		})
	}
}

// TestEmbeddedBrokerKeepsOthersOut: a key of another site opens nothing.
func TestEmbeddedBrokerKeepsOthersOut(t *testing.T) {
	dir := t.TempDir()
	o := openOffice(t, dir, func(sites broker.Authenticator) (broker.Broker, error) {
		return broker.OpenEmbedded(broker.EmbeddedOptions{Listen: "127.0.0.1:0", Dir: dir, Sites: sites})
	})
	defer o.close()
	o.keys["LYON"] = o.keys["OSLO"]
	lyon := o.site(t, dir, "LYON", o.b.Address(), 0)
	defer lyon.close()
	until(t, 5*time.Second, func() error {
		if st := lyon.up.Status(); st.Error == "" || st.State == uplink.Online {
			return fmt.Errorf("status: %+v", st)
		}
		return nil
	})
}

func TestMosquitto(t *testing.T) {
	dir := t.TempDir()
	m := startMosquitto(t, dir, freeAddress(t))
	o := openOffice(t, dir, func(broker.Authenticator) (broker.Broker, error) {
		return broker.OpenExternal(broker.ExternalOptions{URL: "mqtt://" + m.address, Logger: logger(t, "broker")})
	})
	talk(t, o, dir, m.address, 0)
	o.close()
	m.stop()
}

// TestMosquittoRestarts: the broker is killed in the middle of the traffic.
func TestMosquittoRestarts(t *testing.T) {
	dir := t.TempDir()
	m := startMosquitto(t, dir, freeAddress(t))
	o := openOffice(t, dir, func(broker.Authenticator) (broker.Broker, error) {
		return broker.OpenExternal(broker.ExternalOptions{URL: "mqtt://" + m.address, Logger: logger(t, "broker")})
	})
	lyon, oslo := o.site(t, dir, "LYON", m.address, 0), o.site(t, dir, "OSLO", m.address, 0)
	for i := range 60 {
		if i%20 == 10 {
			m.stop()
			m = startMosquitto(t, dir, m.address)
		}
		lyon.enroll(1000 + i)
		oslo.enroll(2000+i, 3000+i)
	}
	until(t, 20*time.Second, settled(o.center, lyon, oslo))
	everybody(t, o.center, lyon, oslo)
	lyon.close()
	oslo.close()
	o.close()
	m.stop()
}

type mosquitto struct {
	address string
	stop    func()
}

// startMosquitto runs a broker of its own and kills it in the end.
func startMosquitto(t *testing.T, dir, address string) mosquitto {
	t.Helper()
	bin, err := exec.LookPath("mosquitto")
	if err != nil {
		if bin, err = exec.LookPath("/usr/sbin/mosquitto"); err != nil {
			t.Fatal("mosquitto is missing: install it with 'apt-get install mosquitto', or run 'make test', which does")
		}
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	// Without set_tcp_nodelay small messages wait up to 40 ms for one another.
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, 5*time.Second, func() error {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return mosquitto{address: address, stop: sync.OnceFunc(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
	})}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
