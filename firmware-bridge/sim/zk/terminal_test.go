package zksim

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func start(t *testing.T, o Options) *Terminal {
	t.Helper()
	sim, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("terminal: %v", err)
		}
	})
	return sim
}

func TestMemoryOutlivesTheProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sub", "front.json")
	first, err := New(Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Enroll(Person{ID: "4", Name: "Anna", PIN: "12", Privilege: 14, Fingers: map[uint8][]byte{6: NewTemplate("10", 1, 300)}}); err != nil {
		t.Fatal(err)
	}
	if err := first.Edit("4", func(p *Person) { p.Card = 77 }); err != nil {
		t.Fatal(err)
	}
	second, err := New(Options{StateFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := second.List(), first.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(second.mem.oplog) != len(first.mem.oplog) {
		t.Errorf("%d log records, want %d", len(second.mem.oplog), len(first.mem.oplog))
	}
	if _, err := New(Options{StateFile: file, Width: 28}); err == nil {
		t.Error("a file with records of another width was taken")
	}
}

func TestActsAtTheTerminal(t *testing.T) {
	sim, err := New(Options{UserCapacity: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		act  string
		err  error
		want error
	}{
		{"enroll", sim.Enroll(Person{ID: "4"}), nil},
		{"enroll again", sim.Enroll(Person{ID: "4"}), ErrExists},
		{"enroll too many", sim.Enroll(Person{ID: "5"}), ErrFull},
		{"edit nobody", sim.Edit("9", func(*Person) {}), ErrNoUser},
		{"delete nobody", sim.Delete("9"), ErrNoUser},
		{"finger", sim.AddFinger("4", 1, []byte("template")), nil},
		{"remove finger", sim.RemoveFinger("4", 1), nil},
		{"remove it again", sim.RemoveFinger("4", 1), ErrNoUser},
		{"delete", sim.Delete("4"), nil},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.act, c.err, c.want)
		}
	}
}

// A client that locked the keys and went away holds nobody up for longer than
// it asked for.
func TestKeysUnlockThemselves(t *testing.T) {
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	sim.mu.Lock()
	sim.disable(50 * time.Millisecond)
	sim.mu.Unlock()
	begun := time.Now()
	if err := sim.Enroll(Person{ID: "4"}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 40*time.Millisecond {
		t.Errorf("enrolled after %v in spite of the lock", took)
	}
}
