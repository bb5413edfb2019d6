// Package service runs a program under the service manager of the machine
// (systemd, Windows) and registers it there.
//
// It wraps kardianos/service where that does what an access control program
// needs, and does otherwise where not: an error of the program ends the
// process with a code other than zero, so that the manager starts it again;
// stopping waits until the program has shut down; the systemd unit is our own,
// with a user of its own and hardened.
package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	kardianos "github.com/kardianos/service"
)

// Errors for people; each says what to do.
var (
	// ErrRights: registering and controlling services is the administrator's.
	ErrRights = errors.New("this needs the rights of root (Linux: sudo) or of an administrator (Windows: \"Run as administrator\")")
	// ErrNoManager: no service manager that this package can register with.
	ErrNoManager = errors.New("no systemd on this machine: start the program with \"run\" under the supervisor that is there")
	// ErrInstalled: the service is there already.
	ErrInstalled = errors.New("already installed: \"uninstall\" it first to register it anew")
	// ErrNotInstalled: there is no such service.
	ErrNotInstalled = errors.New("not installed: register it with \"install\"")
)

// State is what the service manager says about a service.
type State string

// The states.
const (
	Running      State = "running"
	Stopped      State = "stopped"
	Failed       State = "failed"
	NotInstalled State = "not installed"
)

// Config describes a service.
type Config struct {
	Name        string   // doorsync-agent
	DisplayName string   // for lists of services
	Description string   // one line
	Args        []string // with which the manager starts this same executable
	Data        string   // the folder that the program writes, made by Install; absolute
	Reads       []string // files with secrets that the service's user must be able to read
}

// Run calls run and returns its error. The context ends with SIGINT, SIGTERM or
// the manager's order to stop; Run then waits for run to return. A second
// signal kills.
//
// The caller ends the process with a code other than zero when Run returns an
// error.
func Run(c Config, run func(ctx context.Context) error) error {
	if runtime.GOOS == "windows" && !kardianos.Interactive() {
		return runManaged(c, run)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx)
}

// Install registers this executable as a service that starts with the machine.
func Install(c Config) error {
	if err := allowed(c, "install"); err != nil {
		return err
	}
	if state, err := Status(c); err != nil {
		return err
	} else if state != NotInstalled {
		return fmt.Errorf("install %s: %w", c.Name, ErrInstalled)
	}
	options, err := prepare(c)
	if err != nil {
		return fmt.Errorf("install %s: %w", c.Name, err)
	}
	s, err := kardianos.New(&program{}, describe(c, options))
	if err != nil {
		return fmt.Errorf("install %s: %w", c.Name, err)
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("install %s: %w", c.Name, err)
	}
	return nil
}

// Uninstall stops the service and removes it; its data and configuration stay.
func Uninstall(c Config) error {
	return control(c, "uninstall", func(s kardianos.Service) error {
		if state, err := s.Status(); err == nil && state == kardianos.StatusRunning {
			if err := s.Stop(); err != nil {
				return err
			}
		}
		return s.Uninstall()
	})
}

// Start has the manager start the service.
func Start(c Config) error { return control(c, "start", kardianos.Service.Start) }

// Stop has the manager stop the service.
func Stop(c Config) error { return control(c, "stop", kardianos.Service.Stop) }

// Status asks the manager; anybody may.
func Status(c Config) (State, error) {
	if err := managed(); err != nil {
		return "", fmt.Errorf("status of %s: %w", c.Name, err)
	}
	s, err := kardianos.New(&program{}, describe(c, nil))
	if err != nil {
		return "", fmt.Errorf("status of %s: %w", c.Name, err)
	}
	state, err := s.Status()
	switch {
	case errors.Is(err, kardianos.ErrNotInstalled):
		return NotInstalled, nil
	case err != nil && failed(c):
		return Failed, nil
	case err != nil:
		return "", fmt.Errorf("status of %s: %w", c.Name, err)
	case state == kardianos.StatusRunning:
		return Running, nil
	default:
		return Stopped, nil
	}
}

func control(c Config, verb string, do func(kardianos.Service) error) error {
	if err := allowed(c, verb); err != nil {
		return err
	}
	state, err := Status(c)
	if err != nil {
		return err
	}
	if state == NotInstalled {
		return fmt.Errorf("%s %s: %w", verb, c.Name, ErrNotInstalled)
	}
	s, err := kardianos.New(&program{}, describe(c, nil))
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, c.Name, err)
	}
	if err := do(s); err != nil {
		return fmt.Errorf("%s %s: %w", verb, c.Name, err)
	}
	return nil
}

// allowed looks before anything is touched, so that nothing is left half done.
func allowed(c Config, verb string) error {
	if err := managed(); err != nil {
		return fmt.Errorf("%s %s: %w", verb, c.Name, err)
	}
	if !privileged() {
		return fmt.Errorf("%s %s: %w", verb, c.Name, ErrRights)
	}
	return nil
}

// managed refuses the other managers that kardianos would guess at on Linux.
func managed() error {
	if runtime.GOOS == "linux" && kardianos.Platform() != "linux-systemd" {
		return ErrNoManager
	}
	return nil
}

func describe(c Config, options kardianos.KeyValue) *kardianos.Config {
	return &kardianos.Config{
		Name: c.Name, DisplayName: c.DisplayName, Description: c.Description, Arguments: c.Args, Option: options,
	}
}
