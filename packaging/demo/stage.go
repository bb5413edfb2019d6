package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/packaging/rig"
)

// The two sites and their readers.
const (
	lyon = "LYON"
	oslo = "OSLO"
)

// stage is everything that runs.
type stage struct {
	dir       string
	programs  rig.Programs
	center    *rig.Center
	terminals *rig.Terminals // one at each site, named like it
	gates     map[string]*rig.Controller
	sites     map[string]*rig.Site
	line      *rig.Line // LYON's way to the center
	stopLine  context.CancelFunc
	lines     errgroup.Group
}

// data is the folder of one part; the commands to try stand above them.
func (s *stage) data(part string) string { return filepath.Join(s.dir, "data", part) }

func names() []string { return []string{lyon, oslo} }

func build(ctx context.Context, tell *teller, dir string) (*stage, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("empty %s: %w", dir, err)
	}
	tell.fact("programs", "building; the first time this takes some minutes")
	begin := time.Now()
	programs, err := rig.Build(ctx, filepath.Join(dir, "bin"))
	if err != nil {
		return nil, err
	}
	tell.fact("programs", fmt.Sprintf("built in %s", span(time.Since(begin))))
	return &stage{dir: dir, programs: programs, gates: map[string]*rig.Controller{}, sites: map[string]*rig.Site{}, stopLine: func() {}}, nil
}

// start brings up the readers, the center, the line and the agents, in the
// order in which a real installation comes to be.
func (s *stage) start(ctx context.Context, tell *teller) error {
	var err error
	if s.terminals, err = rig.StartTerminals(ctx, s.programs, s.data("terminals"), names()...); err != nil {
		return err
	}
	for i, name := range names() {
		s.gates[name], err = rig.StartController(ctx, s.programs, name+" gate", s.data("gate-"+name), uint32(405419896+i))
		if err != nil {
			return err
		}
	}
	if s.center, err = rig.NewCenter(s.programs, s.data("central"), names()...); err != nil {
		return err
	}
	if err := s.center.Start(ctx); err != nil {
		return err
	}
	tell.fact("Central", "broker on "+s.center.Broker+", API on "+s.center.API)
	if err := s.startLine(ctx); err != nil {
		return err
	}
	for _, name := range names() {
		if err := s.startSite(ctx, name); err != nil {
			return err
		}
		tell.fact(name, fmt.Sprintf("front: ZKTeco terminal on %s (simulated)", s.terminals.Addr(name)))
		tell.fact("", fmt.Sprintf("gate:  UHPPOTE controller on %s (the independent uhppote-simulator)", s.gates[name].Addr))
	}
	return s.scripts()
}

func (s *stage) startLine(ctx context.Context) error {
	var err error
	if s.line, err = rig.NewLine(s.center.Broker); err != nil {
		return err
	}
	ctx, s.stopLine = context.WithCancel(context.WithoutCancel(ctx))
	s.lines.Go(func() error { return s.line.Run(ctx) })
	return nil
}

func (s *stage) startSite(ctx context.Context, name string) error {
	broker := s.center.Broker
	if name == lyon {
		broker = s.line.Addr()
	}
	gate := s.gates[name]
	site, err := rig.NewSite(s.programs, name, s.data(name), broker, s.center.KeyFile(name),
		rig.Zk("front", s.terminals.Addr(name), "poll: 1s"), rig.Uhppote("gate", gate.Addr, gate.Serial))
	if err != nil {
		return err
	}
	s.sites[name] = site
	return site.Start(ctx)
}

// scripts are short names for the visitor's commands.
func (s *stage) scripts() error {
	for name, command := range map[string]string{
		"central":   fmt.Sprintf("%s --config %s", s.programs.Central, s.center.Config()),
		"lyon":      fmt.Sprintf("%s --config %s", s.programs.Agent, s.sites[lyon].Config()),
		"oslo":      fmt.Sprintf("%s --config %s", s.programs.Agent, s.sites[oslo].Config()),
		"terminals": s.terminals.CommandLine(),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte("#!/bin/sh\nexec "+command+" \"$@\"\n"), 0o755); err != nil {
			return fmt.Errorf("write commands to try: %w", err)
		}
	}
	return nil
}

// invite tells the visitor what to try.
func (s *stage) invite(tell *teller) {
	at := s.dir
	if here, err := os.Getwd(); err == nil {
		if r, err := filepath.Rel(here, s.dir); err == nil && !strings.HasPrefix(r, "..") {
			at = r
		}
	}
	tell.printf("\nEverything stays up. In another terminal, try:\n")
	for _, line := range []string{
		"central users list",
		"central users explain 1",
		"central users put 4 --first-name Dora --last-name Novak --card 7004",
		"central events --follow",
		"lyon journal --since 1h",
		"lyon readers",
		`terminals enroll LYON --id 5 --name "Emil Roth" --card 7005`,
		"terminals list OSLO",
	} {
		tell.printf("   %s/%s", at, line)
	}
	tell.printf("\nCtrl-C ends it. Logs and data stay in %s.", at)
}

// ended is closed when a program has ended by itself.
func (s *stage) ended() <-chan struct{} {
	done := make(chan struct{})
	first := make(chan struct{}, 8)
	for _, p := range s.all() {
		go func() {
			<-p.Done()
			first <- struct{}{}
		}()
	}
	go func() {
		<-first
		close(done)
	}()
	return done
}

func (s *stage) all() []*rig.Process {
	var all []*rig.Process
	for _, name := range names() {
		if site := s.sites[name]; site != nil && site.Process != nil {
			all = append(all, site.Process)
		}
	}
	if s.center != nil && s.center.Process != nil {
		all = append(all, s.center.Process)
	}
	if s.terminals != nil && s.terminals.Process != nil {
		all = append(all, s.terminals.Process)
	}
	return all
}

// end stops everything, agents first.
func (s *stage) end() error {
	var errs []error
	for _, p := range s.all() {
		errs = append(errs, p.Stop())
	}
	for _, gate := range s.gates {
		if gate != nil && gate.Process != nil {
			errs = append(errs, gate.Stop())
		}
	}
	s.stopLine()
	return errors.Join(append(errs, s.lines.Wait())...)
}
