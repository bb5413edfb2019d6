// Command demo shows doorsync at work on one machine: a center, two sites and
// four readers, a person enrolled at one door and known at all of them, and a
// site that is cut off and comes back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	once := flag.Bool("once", false, "end after the story; the exit code tells whether every step held")
	dir := flag.String("dir", filepath.Join("build", "demo"), "folder for programs, configurations, data and logs; emptied first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	if err := run(ctx, *dir, *once); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, dir string, once bool) (err error) {
	tell := &teller{out: os.Stdout}
	tell.title("doorsync: one center, two sites, four readers, all on this machine")
	s, err := build(ctx, tell, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if err := s.start(ctx, tell); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := story(limited, tell, s); err != nil {
		return err
	}
	if once {
		return nil
	}
	s.invite(tell)
	select {
	case <-ctx.Done():
	case <-s.ended():
		return errors.New("a program ended by itself; see the logs in " + dir)
	}
	return nil
}
