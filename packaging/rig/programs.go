package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Programs are the paths of what was built.
type Programs struct {
	Central   string
	Agent     string
	ReaderSim string
	Uhppote   string // the independent simulator of UHPPOTE controllers
}

// Build compiles all programs into dir, with more arguments for "go build" if
// there are any. It must run inside the repository.
func Build(ctx context.Context, dir string, more ...string) (Programs, error) {
	root, err := repository(ctx)
	if err != nil {
		return Programs{}, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return Programs{}, fmt.Errorf("build: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Programs{}, fmt.Errorf("build: %w", err)
	}
	out := func(name string) string {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		return filepath.Join(dir, name)
	}
	p := Programs{Central: out("doorsync-central"), Agent: out("doorsync-agent"), ReaderSim: out("doorsync-readersim"), Uhppote: out("uhppote-simulator")}
	args := append([]string{"-ldflags", "-s -w", "-o", dir + string(filepath.Separator)}, more...)
	args = append(args, "./cloud/cmd/doorsync-central", "./agent/cmd/doorsync-agent", "./firmware-bridge/sim/cmd/doorsync-readersim")
	if err := goBuild(ctx, root, args...); err != nil {
		return Programs{}, err
	}
	// The tools have a go.mod of their own, so that the product's stays lean.
	err = goBuild(ctx, filepath.Join(root, "packaging", "tools"), "-o", p.Uhppote, "github.com/uhppoted/uhppote-simulator/cmd/uhppote-simulator")
	return p, err
}

func goBuild(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = dir
	if !slices.Contains(args, "-race") { // which needs cgo
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, strings.TrimSpace(string(b)))
	}
	return nil
}

func repository(ctx context.Context) (string, error) {
	b, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w: run this inside it", err)
	}
	return strings.TrimSpace(string(b)), nil
}
