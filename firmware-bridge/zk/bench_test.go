package zk_test

import (
	"fmt"
	"testing"

	"doorsync/firmware-bridge/driver"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/firmware-bridge/zk"
	"doorsync/protocol"
)

// held fills a terminal at its keys.
func held(b *testing.B, users, fingers int) (driver.Session, *zksim.Terminal) {
	b.Helper()
	sim, err := zksim.New(zksim.Options{TemplateCapacity: users*fingers + 1})
	if err != nil {
		b.Fatal(err)
	}
	if err := sim.Listen("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(b.Context()) }()
	b.Cleanup(func() { <-ended })
	for i := range users {
		p := zksim.Person{ID: fmt.Sprint(i + 1), Name: "User", Card: uint32(i + 1), Fingers: map[uint8][]byte{}}
		for f := range fingers {
			p.Fingers[uint8(f)] = zksim.NewTemplate("10", uint64(i*10+f), 384)
		}
		if err := sim.Enroll(p); err != nil {
			b.Fatal(err)
		}
	}
	d, err := zk.New(driver.Config{Name: "front", Address: sim.Addr()})
	if err != nil {
		b.Fatal(err)
	}
	s, err := d.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s, sim
}

func BenchmarkListFullTerminal(b *testing.B) {
	s, _ := held(b, 5000, 2)
	b.ReportAllocs()
	for b.Loop() {
		if rows, err := s.List(b.Context()); err != nil || len(rows) != 5000 {
			b.Fatal(len(rows), err)
		}
	}
}

func BenchmarkPutOneOfMany(b *testing.B) {
	s, _ := held(b, 5000, 2)
	if _, err := s.List(b.Context()); err != nil {
		b.Fatal(err)
	}
	finger := zksim.NewTemplate("10", 10, 384)
	for i := 0; b.Loop(); i++ {
		rows, _ := s.(driver.Projector).Project(protocol.User{
			ID: "2", Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(fmt.Sprint("User ", i))},
			Credentials: []protocol.Credential{protocol.Fingerprint("zk10", 0, finger)},
		})
		if _, err := s.Put(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
}

// The road from somebody enrolled at the terminal to the row that the agent
// reads.
func BenchmarkEnrollmentSeen(b *testing.B) {
	s, sim := held(b, 1000, 1)
	if _, err := s.List(b.Context()); err != nil {
		b.Fatal(err)
	}
	notices := make(chan driver.Notice, 64)
	go func() { _ = s.(driver.Watcher).Watch(b.Context(), func(n driver.Notice) { notices <- n }) }()
	for i := 0; b.Loop(); i++ {
		if err := sim.Enroll(zksim.Person{ID: fmt.Sprint(5000 + i), Name: "New"}); err != nil {
			b.Fatal(err)
		}
		n := <-notices
		if rows, err := s.(driver.Getter).Get(b.Context(), []string{n.Key}); err != nil || len(rows) != 1 {
			b.Fatal(n, rows, err)
		}
	}
}
