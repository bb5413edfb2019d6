package main

import (
	"context"
	"fmt"
	"time"

	"doorsync/cloud/api"
	"doorsync/packaging/rig"
)

// cutFor is how long the line stays cut after everything was done on both sides.
const cutFor = 3 * time.Second

// The people of the story.
func anna() person  { return person{"1", "Anna Meyer", 7001} }
func bruno() person { return person{"2", "Bruno Keller", 7002} }
func clara() person { return person{"3", "Clara Lund", 7003} }

func story(ctx context.Context, tell *teller, s *stage) error {
	for _, part := range []func(context.Context, *teller, *stage) error{enrolled, corrected, cut, apart, rejoined, agreed} {
		if err := part(ctx, tell, s); err != nil {
			return err
		}
	}
	return nil
}

func enrolled(ctx context.Context, tell *teller, s *stage) error {
	a := anna()
	tell.chapter("%s is enrolled at LYON's front terminal: name, card, fingerprint", a.name)
	begin, err := s.enroll(ctx, lyon, a, 6)
	if err != nil {
		return err
	}
	return await(ctx, tell, begin, a, "knows her after", s.everywhere("LYON front")...)
}

func corrected(ctx context.Context, tell *teller, s *stage) error {
	a := anna()
	a.name = "Anna Meyer-Lind"
	tell.chapter("The office corrects her name to %s", a.name)
	begin := time.Now()
	if _, err := s.center.Put(ctx, a.id, api.Patch{Set: map[string]string{"first_name": "Anna", "last_name": "Meyer-Lind"}}); err != nil {
		return fmt.Errorf("office: %w", err)
	}
	return await(ctx, tell, begin, a, "shows it after", s.front(lyon), s.front(oslo))
}

func cut(_ context.Context, tell *teller, s *stage) error {
	tell.chapter("LYON's WAN is cut")
	s.line.Cut()
	tell.note("LYON", "nothing goes in or out any more, and nobody is told")
	return nil
}

// apart is what happens on both sides while they cannot reach each other.
func apart(ctx context.Context, tell *teller, s *stage) error {
	b, c := bruno(), clara()
	tell.chapter("Both sides go on: %s is enrolled in LYON, %s in OSLO", b.name, c.name)
	begin, err := s.enroll(ctx, lyon, b)
	if err != nil {
		return err
	}
	if err := await(ctx, tell, begin, b, "knows Bruno after", s.gate(lyon)); err != nil {
		return err
	}
	if begin, err = s.enroll(ctx, oslo, c); err != nil {
		return err
	}
	if err := await(ctx, tell, begin, c, "knows Clara after", s.roster(), s.gate(oslo)); err != nil {
		return err
	}
	tell.chapter("Edits, too: Anna gets a PIN in LYON, the office corrects Clara's name")
	if err := s.terminals.Edit(ctx, lyon, anna().id, map[string]any{"pin": "4711"}); err != nil {
		return err
	}
	c.name = "Clara Lundgren"
	begin = time.Now()
	if _, err := s.center.Put(ctx, c.id, api.Patch{Set: map[string]string{"first_name": "Clara", "last_name": "Lundgren"}}); err != nil {
		return fmt.Errorf("office: %w", err)
	}
	if err := await(ctx, tell, begin, c, "shows Clara's new name after", s.front(oslo)); err != nil {
		return err
	}
	wait(ctx, cutFor)
	if err := absent(ctx, b, s.roster(), s.front(oslo), s.gate(oslo)); err != nil {
		return err
	}
	if err := absent(ctx, c, s.front(lyon), s.gate(lyon)); err != nil {
		return err
	}
	tell.note("across the cut", "nobody has heard of anything, as it must be")
	return nil
}

func rejoined(ctx context.Context, tell *teller, s *stage) error {
	tell.chapter("The WAN returns")
	begin := time.Now()
	s.line.Heal()
	c := clara()
	c.name = "Clara Lundgren"
	if err := await(ctx, tell, begin, bruno(), "knows Bruno after", s.roster(), s.front(oslo), s.gate(oslo)); err != nil {
		return err
	}
	if err := await(ctx, tell, begin, c, "knows Clara after", s.front(lyon), s.gate(lyon)); err != nil {
		return err
	}
	return await(ctx, tell, begin, anna(), "takes Anna's PIN after", s.pinAt(oslo))
}

// enroll acts at a site's terminal and returns when that was.
func (s *stage) enroll(ctx context.Context, site string, p person, fingers ...int) (time.Time, error) {
	begin := time.Now()
	return begin, s.terminals.Enroll(ctx, site, rig.AtTerminal{ID: p.id, Name: p.name, Card: uint32(p.card), Fingers: fingers})
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
