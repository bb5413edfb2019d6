package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// A process that is one of these is not the test but its victim.
const (
	victimPath = "JOURNAL_VICTIM"
	victimDoes = "JOURNAL_VICTIM_DOES"
)

func TestMain(m *testing.M) {
	path := os.Getenv(victimPath)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := victims[os.Getenv(victimDoes)](path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Each victim opens the journal and writes as its name says.
var victims = map[string]func(path string) error{"append": appendForEver, "fill": fillUp}

func victim(t *testing.T, does, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), victimPath+"="+path, victimDoes+"="+does)
	cmd.Stderr = os.Stderr
	return cmd
}

// appendForEver prints the number and ID of every entry that was acknowledged,
// while changes are applied and confirmed beside it.
func appendForEver(path string) error {
	ctx := context.Background()
	j, err := Open(path, Options{Site: "north"})
	if err != nil {
		return err
	}
	var out sync.Mutex
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d", worker, n%50)
				made, err := j.Append(ctx, Batch{
					Reader: "front", Cursor: []byte(strconv.Itoa(n)), Rows: []Row{{Key: id, Held: []byte(id)}},
					Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &protocol.Edit{UserID: id, Values: name("N")}}},
				})
				if err != nil {
					return
				}
				out.Lock()
				for _, e := range made {
					fmt.Println(e.Number, e.ID)
				}
				out.Unlock()
			}
		}()
	}
	go func() {
		for {
			st := j.State()
			_ = j.Confirm(ctx, wire.Confirm{Epoch: st.Epoch, Taken: st.Last, Hash: st.LastHash})
			_ = j.Apply(ctx, wire.Changes{Roster: "r", From: st.Revision, To: st.Revision + 1, Epoch: st.Epoch, Journal: st.Last})
		}
	}()
	return j.Run(ctx)
}

// Killed in the middle of traffic, again and again, a journal has every entry
// that it acknowledged, and no gap.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	acknowledged := map[uint64]string{}
	for round := range 8 {
		cmd := victim(t, "append", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		for left := 50 + rand.IntN(300); ; left-- {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			number, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			n, err := strconv.ParseUint(number, 10, 64)
			if err != nil || acknowledged[n] != "" {
				t.Fatalf("round %d: entry %q was acknowledged before", round, line)
			}
			acknowledged[n] = id
			if left == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait()
	}
	s := openAt(t, path, Options{})
	s.sound()
	want := uint64(1)
	for _, e := range s.all(Query{}) {
		if e.Number != want {
			t.Fatalf("entry %d follows entry %d", e.Number, want-1)
		}
		if id, ok := acknowledged[e.Number]; ok && id != e.ID.String() {
			t.Fatalf("entry %d is another one", e.Number)
		}
		delete(acknowledged, e.Number)
		want++
	}
	if len(acknowledged) > 0 {
		t.Fatalf("%d acknowledged entries are lost", len(acknowledged))
	}
}

// commitGroup commits requests together, as if they had waited.
func commitGroup(j *Journal, reqs ...*request) (errs []error) {
	for _, r := range reqs {
		r.done = make(chan error, 1)
	}
	_ = j.commit(slices.Clone(reqs))
	for _, r := range reqs {
		errs = append(errs, <-r.done)
	}
	return errs
}

func addUser(id string) *request {
	return &request{do: func(t *txn) error {
		_, err := t.append(Batch{Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &protocol.Edit{UserID: id}}}})
		return err
	}}
}

// A commit that fails acknowledges nothing and changes nothing that is known.
func TestFailingCommit(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "j.db")
	j, err := Open(path, Options{Site: "north"})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken disk")
	failing := true
	j.failCommit = func() error {
		if failing {
			return broken
		}
		return nil
	}
	sub := j.Subscribe()
	before := j.State()
	arrivals, err := j.arrivals([]wire.Changes{pageOf(t, "", "", 0, 1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range commitGroup(j, addUser("a"), addUser("b"), &request{do: func(t *txn) error { return t.apply(arrivals[0]) }}) {
		if !errors.Is(err, broken) {
			t.Fatalf("acknowledged: %v", err)
		}
	}
	if after := j.State(); !reflect.DeepEqual(before, after) {
		t.Fatalf("remembers %+v", after)
	}
	if ids, all := sub.Take(); len(ids) > 0 || all {
		t.Fatal("told of what did not happen")
	}
	select {
	case <-j.Appended():
		t.Fatal("woke the uplink")
	default:
	}
	failing = false
	// A request that is refused does not take its group with it.
	refused := errors.New("refused")
	errs := commitGroup(j, addUser("a"), &request{do: func(t *txn) error {
		if _, err := t.entry(protocol.Entry{}); err != nil {
			return err
		}
		return refused
	}}, addUser("b"))
	if errs[0] != nil || !errors.Is(errs[1], refused) || errs[2] != nil || j.State().Last != 2 {
		t.Fatalf("%v, last %d", errs, j.State().Last)
	}
	if r, err := j.Verify(ctx, nil); err != nil || len(r.Faults) > 0 {
		t.Fatalf("%v %v", r.Faults, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWriterEnds(t *testing.T) {
	j, err := Open(filepath.Join(t.TempDir(), "j.db"), Options{Site: "north"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	// Whoever appends while it ends is told the truth either way.
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 50 {
		wg.Go(func() {
			for {
				_, err := j.Append(context.Background(), Batch{Drafts: []Draft{{Event: protocol.EventStarted}}})
				if errors.Is(err, ErrClosed) {
					return
				}
				mu.Lock()
				taken++
				if err != nil {
					t.Error(err)
				}
				if taken == 500 {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if last := j.State().Last; last != uint64(taken) {
		t.Fatalf("%d entries, %d acknowledged", last, taken)
	}
	if err := j.Run(context.Background()); err == nil {
		t.Fatal("runs twice")
	}
	done, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := j.Append(done, Batch{}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
