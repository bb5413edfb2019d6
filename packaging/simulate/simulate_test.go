package simulate

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

var (
	oneSeed = flag.Uint64("seed", 0, "play this seed alone, and print its timeline")
	seeds   = flag.Int("seeds", 0, "play so many seeds, from a fresh one on; 0: as many as fit into -for")
	from    = flag.Uint64("from", 0, "the first of the seeds; 0: a fresh one")
	fitting = flag.Duration("for", 25*time.Second, "how long to play fresh seeds")
	planted = flag.String("planted", "", "a bug is planted: succeed as soon as it is caught")
	says    = flag.String("says", "", "what is said of the bug that is planted, a regular expression")
	tries   = flag.Int("shrink", 150, "how many runs finding the smallest case may take")
)

// play runs a script in a bubble of its own.
func play(t *testing.T, sc Script, plant string) (w *World, simulated time.Duration) {
	t.Helper()
	t.Run(fmt.Sprint(sc.Seed), func(t *testing.T) {
		dir := ramDir(t)
		cryptotest.SetGlobalRandom(t, sc.Seed)
		if Fixed {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			runtime.GC()
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
		}
		synctest.Test(t, func(*testing.T) {
			begun := time.Now()
			fix(sc.Seed + 1)
			w = Run(sc, dir, plant)
			fix(0)
			simulated = time.Since(begun)
		})
	})
	return w, simulated
}

// ramDir is a folder that goes with the test, in memory where the system has
// such: thousands of runs would wear a disk out.
func ramDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "simulate")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestSeeds plays seeds that nobody chose, or one.
func TestSeeds(t *testing.T) {
	if *oneSeed != 0 {
		w, _ := play(t, NewScript(*oneSeed), "")
		t.Log("\n" + w.text())
		if len(w.faults()) > 0 {
			report(t, w, "")
		}
		return
	}
	first := *from
	if first == 0 {
		first = FreshSeed()
	}
	t.Logf("seeds from %d on", first)
	patience := *fitting
	if slow {
		patience = min(patience, 8*time.Second)
	}
	begun, days, n := time.Now(), time.Duration(0), 0
	for ; n < *seeds || *seeds == 0 && time.Since(begun) < patience; n++ {
		sc := NewScript(first + uint64(n))
		w, d := play(t, sc, "")
		if w == nil {
			t.Fatalf("seed %d ended the run: make simulate SEED=%d", sc.Seed, sc.Seed)
		}
		days += d
		if len(w.faults()) > 0 {
			report(t, w, "")
		}
		if n%500 == 499 {
			fmt.Printf("simulate: %d seeds, %s\n", n+1, speed(days, begun))
		}
	}
	fmt.Printf("simulate: %d seeds from %d on, %s\n", n, first, speed(days, begun))
}

func speed(simulated time.Duration, begun time.Time) string {
	took := time.Since(begun)
	days := simulated.Hours() / 24
	return fmt.Sprintf("%.0f simulated days in %v: %.1f days a second", days, took.Round(time.Second), days/took.Seconds())
}

// report shrinks a run that failed and prints what is left of it.
func report(t *testing.T, w *World, plant string) {
	t.Helper()
	found := w.faults()
	fmt.Printf("simulate: seed %d fails: %s\n", w.sc.Seed, found[0])
	last := w
	small := Shrink(w.sc, func(sc Script) bool {
		one, _ := play(t, sc, plant)
		if len(one.faults()) > 0 {
			last = one
		}
		return len(one.faults()) > 0
	}, *tries)
	text, err := json.MarshalIndent(small, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	t.Errorf("seed %d: %s\nReplay it with 'make simulate SEED=%d'. The smallest case found, %d of %d acts, for testdata:\n%s\n%s\nwhat went wrong in it: %s",
		w.sc.Seed, strings.Join(found[:min(len(found), 10)], "\n"), w.sc.Seed, len(small.Acts), len(w.sc.Acts), text, last.text(), strings.Join(last.faults()[:min(len(last.faults()), 10)], "\n"))
}

// TestRegressions plays what has failed once. Each file says by its name what
// was wrong.
func TestRegressions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no regressions: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var sc Script
			if err := json.Unmarshal(b, &sc); err != nil {
				t.Fatal(err)
			}
			if w, _ := play(t, sc, ""); len(w.faults()) > 0 {
				t.Errorf("%s\n%s", w.text(), strings.Join(w.faults(), "\n"))
			}
		})
	}
}

// TestPlanted: the simulation is not too kind. Bugs that are planted outside of
// the product are caught within some seeds, and by a check that speaks of what
// they break: that a run fails for whatever reason proves nothing.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		plant, says string
		script      func(seed uint64) Script
	}{
		{plantForgetTaken, "is at the center 2 times", NewScript},
		{plantShortRead, "was deleted at reader .*, and nobody did", NewScript},
		{plantLeak, "the number of goroutines grew", quietSeeds},
		{plantCursorApart, "which it has read and its journal says nothing about", killedAtEdits},
	} {
		t.Run(c.plant, func(t *testing.T) { caught(t, c.plant, c.says, c.script) })
	}
}

// quietSeeds are of runs with a quiet end.
func quietSeeds(seed uint64) Script { return NewScript(seed * quietRuns) }

// killedAtEdits kills an agent again and again while somebody types.
func killedAtEdits(seed uint64) Script {
	sc := Script{Seed: seed, Sites: 2, Kinds: []int{0, 2, 0, 2}, Poll: time.Minute, Resync: 15 * time.Minute}
	sc.Weather.Slow = time.Millisecond
	sc.Acts = append(sc.Acts, Act{After: 5 * time.Second, Do: "enroll", User: "1", Text: "N", Number: 3})
	for i := range 12 {
		sc.Acts = append(sc.Acts,
			Act{After: 90 * time.Second, Do: "kill agent", Other: killBefore, Number: 1 + i%3},
			Act{After: time.Millisecond, Do: "finger", User: "1", Text: fmt.Sprint("F", i)})
	}
	return sc
}

// caught plays seeds until one fails with such words.
func caught(t *testing.T, plant, says string, script func(seed uint64) Script) {
	t.Helper()
	bug := regexp.MustCompile(says)
	failed := map[string]int{} // otherwise
	for i := range 1000 {
		w, _ := play(t, script(uint64(1000+i)), plant)
		found := w.faults()
		if at := slices.IndexFunc(found, bug.MatchString); at >= 0 {
			t.Logf("%s caught by seed %d: %s", plant, w.sc.Seed, found[at])
			return
		}
		if len(found) > 0 {
			failed[found[0]]++
		}
	}
	t.Errorf("%s is planted, and nothing says %q; what failed otherwise: %v", plant, says, failed)
}

// TestPlantedInProduct is run by 'make simulate-planted', which plants the bug
// in a copy of the product.
func TestPlantedInProduct(t *testing.T) {
	if *planted != "" {
		caught(t, *planted, *says, NewScript)
	}
}

// TestReplays: with the runtime that fixed.sh makes, a seed makes the same run
// again.
func TestReplays(t *testing.T) {
	if !Fixed {
		return
	}
	same := 0
	const all = 20
	for i := range all {
		sc := NewScript(uint64(i) + 1)
		one, _ := play(t, sc, "")
		two, _ := play(t, sc, "")
		if one.text() == two.text() {
			same++
		}
	}
	t.Logf("%d of %d seeds made the very same run twice", same, all)
	if same < all*3/5 {
		t.Errorf("only %d of %d seeds made the same run twice", same, all)
	}
}

// TestShrink: what matters stays, and nothing else.
func TestShrink(t *testing.T) {
	sc := NewScript(7)
	for i := range sc.Acts {
		sc.Acts[i].User = fmt.Sprint(i)
	}
	fails := func(sc Script) bool {
		has := func(user string) bool {
			return slices.ContainsFunc(sc.Acts, func(a Act) bool { return a.User == user })
		}
		return has("3") && has("8")
	}
	small := Shrink(sc, fails, 1000)
	if len(small.Acts) != 2 || !fails(small) {
		t.Errorf("%d acts are left, want 2: %v", len(small.Acts), small.Acts)
	}
}
