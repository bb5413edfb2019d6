package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"doorsync/packaging/rig"
)

// lane is one kind of trouble that comes again and again, beside the others.
type lane struct {
	name        string
	random      *rand.Rand
	least, most time.Duration // between two troubles
	strike      func(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error
}

// run strikes until stop is closed; what was broken is mended before it ends.
func (l lane) run(ctx context.Context, w *world, stop <-chan struct{}) error {
	for !w.rest(ctx, stop, between(l.random, l.least, l.most)) {
		if err := l.strike(ctx, l.random, stop); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return ctx.Err()
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// lanes are the troubles of a phase. Programs are killed in the storm alone: on
// the long haul they live long enough to show whether they grow.
func (w *world) lanes(p phase, source func() *rand.Rand) []lane {
	lines := lane{"lines", source(), 2 * time.Second, 10 * time.Second, w.strikeLine}
	killing := lane{"kills", source(), time.Second, 5 * time.Second, w.strikeProgram}
	disks := lane{"disks", source(), 5 * time.Second, 18 * time.Second, w.strikeDisk(p.storm)}
	readers := lane{"readers", source(), 5 * time.Second, 20 * time.Second, w.strikeReader}
	brokers := lane{"brokers", source(), 5 * time.Second, 20 * time.Second, w.strikeBroker}
	out := []lane{lines, disks, readers}
	if p.storm {
		out = append(out, killing)
	}
	if p.external {
		out = append(out, brokers)
	}
	return out
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }

// deck is drawn from until it is empty, and shuffled anew then: chance decides
// the order, and nothing is left out for long.
type deck struct {
	cards, left []string
}

func newDeck(cards ...string) *deck { return &deck{cards: cards} }

func (d *deck) draw(random *rand.Rand) string {
	if len(d.left) == 0 {
		d.left = slices.Clone(d.cards)
		random.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	card := d.left[0]
	d.left = d.left[1:]
	return card
}

// decks are what the lanes draw from, through all phases. Each belongs to one
// lane.
type decks struct{ lines, kills, disks, readers, brokers *deck }

func newDecks() decks {
	return decks{
		lines: newDeck(kinds()...), kills: newDeck(goPrograms()...), disks: newDeck(goPrograms()...),
		readers: newDeck("silent", "half", "fewer", "garbage", "refuse"), brokers: newDeck("kill -9", "restart"),
	}
}

// strikeLine makes one site's line ill. Now and then it lets the two sites do
// apart what they would not do together.
func (w *world) strikeLine(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error {
	site, kind, span := pick(random, siteNames()), w.decks.lines.draw(random), between(random, 2*time.Second, 15*time.Second)
	if random.IntN(3) == 0 && w.calm.TryLock() {
		defer w.calm.Unlock()
		return w.apart(ctx, site, random)
	}
	w.calm.RLock()
	defer w.calm.RUnlock()
	w.line.count(illLines, "lines "+kind)
	return w.while(ctx, fmt.Sprintf("line of %s: %s", site, kind), span, stop,
		func() error { return w.wan.harm(ctx, site, kind) }, func() error { return w.wan.heal(ctx, site, kind) })
}

// while breaks something, waits, and mends it.
func (w *world) while(ctx context.Context, what string, span time.Duration, stop <-chan struct{}, harm, heal func() error) error {
	w.line.note("%s for %v", what, span.Round(time.Millisecond))
	if err := harm(); err != nil {
		return err
	}
	w.rest(ctx, stop, span)
	w.line.note("%s: over", what)
	return heal()
}

// strikeProgram kills a program and starts it again, at once or a while later.
func (w *world) strikeProgram(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error {
	p := w.part(w.decks.kills.draw(random))
	span := time.Duration(0)
	if random.IntN(2) == 0 {
		span = between(random, 0, 4*time.Second)
	}
	w.calm.RLock()
	defer w.calm.RUnlock()
	w.line.count(kills, "kills of "+p.name)
	return w.while(ctx, "kill -9 of "+p.name, span, stop,
		func() error { return p.down("killed", (*rig.Process).Kill) }, p.up)
}

// strikeBroker restarts Mosquitto, which then knows nothing any more.
func (w *world) strikeBroker(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error {
	p := w.part(mosquitto)
	how := w.decks.brokers.draw(random)
	end := map[string]func(*rig.Process) error{"kill -9": (*rig.Process).Kill, "restart": (*rig.Process).Stop}[how]
	w.calm.RLock()
	defer w.calm.RUnlock()
	w.line.count(kills, how+"s of mosquitto")
	return w.while(ctx, how+" of mosquitto", between(random, 0, 3*time.Second), stop,
		func() error { return p.down(how, end) }, p.up)
}

// strikeDisk fills up the disk of a program, and in the storm starts the program
// again while it is full: SQLite goes on in the room that its log has, until it
// has to make a new one.
func (w *world) strikeDisk(again bool) func(context.Context, *rand.Rand, <-chan struct{}) error {
	return func(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error {
		p := w.part(w.decks.disks.draw(random))
		dir, span := w.data(p.name), between(random, 2*time.Second, 10*time.Second)
		again := again && random.IntN(2) == 0
		w.calm.RLock()
		defer w.calm.RUnlock()
		w.line.count(fullDisks, "full disks of "+p.name)
		w.line.note("disk of %s full for %v", p.name, span.Round(time.Millisecond))
		p.filled(1)
		defer p.filled(-1)
		err := w.keepFull(ctx, p, span, again, stop)
		w.line.note("disk of %s full: over", p.name)
		err = errors.Join(err, room(dir))
		// What ended just before is still the disk's doing.
		w.rest(ctx, stop, 2*restartIn)
		return err
	}
}

// refillEvery is how soon what a program gave up of its own is taken, too.
const refillEvery = 100 * time.Millisecond

// keepFull fills the disk, and again whenever there is room, for a while.
func (w *world) keepFull(ctx context.Context, p *program, span time.Duration, again bool, stop <-chan struct{}) error {
	dir := w.data(p.name)
	if err := fill(dir); err != nil {
		return err
	}
	if again {
		if err := p.down("stopped with its disk full", (*rig.Process).Stop); err != nil {
			return err
		}
		if err := errors.Join(fill(dir), p.up()); err != nil {
			return err
		}
	}
	for end := time.Now().Add(span); time.Now().Before(end) && !w.rest(ctx, stop, refillEvery); {
		if err := fill(dir); err != nil {
			return err
		}
	}
	return nil
}

// strikeReader gives a terminal, or a controller, a bad day.
func (w *world) strikeReader(ctx context.Context, random *rand.Rand, stop <-chan struct{}) error {
	site, terminal, fault := pick(random, siteNames()), pick(random, terminalNames()), w.decks.readers.draw(random)
	if slices.Contains([]string{"silent", "fewer"}, fault) && random.IntN(2) == 0 {
		terminal = gate // knows no others
	}
	t := w.terminals[site]
	w.calm.RLock()
	defer w.calm.RUnlock()
	w.line.count(badDays, fmt.Sprintf("terminals %s", fault))
	return w.while(ctx, fmt.Sprintf("terminal %s of %s: %s", terminal, site, fault), between(random, 2*time.Second, 8*time.Second), stop,
		func() error { return t.Fault(ctx, terminal, fault) }, func() error { return t.Fault(ctx, terminal, "none") })
}
