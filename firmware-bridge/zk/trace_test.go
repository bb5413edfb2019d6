package zk_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"doorsync/firmware-bridge/driver"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/protocol"
)

// Neither PINs nor templates nor the communication key appear in a trace.
func TestTraceHidesSecrets(t *testing.T) {
	sim := terminal(t, zksim.Options{Key: 987654})
	if err := sim.Enroll(zksim.Person{ID: "3", PIN: "24681357"}); err != nil {
		t.Fatal(err)
	}
	cfg := config(sim)
	cfg.Password = "987654"
	var mu sync.Mutex
	var trace bytes.Buffer
	cfg.Trace = func(dir string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&trace, "%s %x\n", dir, b)
	}
	s := connect(t, cfg)
	tpl := zksim.NewTemplate("10", 1, 700)
	rows, _ := s.(driver.Projector).Project(protocol.User{
		ID: "4", Values: map[protocol.Field]protocol.Value{protocol.FieldPIN: protocol.Text("86427531"), protocol.FieldName: protocol.Text("Anna")},
		Credentials: []protocol.Credential{protocol.Fingerprint("zk10", 1, tpl)},
	})
	if _, err := s.Put(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.List(t.Context()); err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	_ = s.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range [][]byte{[]byte("24681357"), []byte("86427531"), tpl[:12], tpl[300:312]} {
		if strings.Contains(trace.String(), hex.EncodeToString(secret)) {
			t.Errorf("the trace shows %q", secret)
		}
	}
	if !strings.Contains(trace.String(), hex.EncodeToString([]byte("Anna"))) {
		t.Error("the trace does not show the name, which it should")
	}
}
