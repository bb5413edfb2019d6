package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// agent measures the real program: its memory while it takes all users, what it
// costs when nothing happens, and its size.
func (b *bench) agent(ctx context.Context, bin string) error {
	dir := filepath.Join(b.dir, "agent")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	conf := filepath.Join(b.dir, "agent.yaml")
	text := fmt.Sprintf("site: NEW\ndata: %s\ncenter: {broker: \"mqtt://%s\", key-file: %s}\n", dir, b.center.broker, filepath.Join(b.dir, "NEW.key"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	peak, err := b.agentRun(ctx, bin, conf, func(pid int) (float64, error) {
		return mebibytes(pid, "VmHWM")
	})
	if err != nil {
		return err
	}
	b.add(figure{Name: "bootstrap-rss", Value: peak, Unit: "MiB", Bar: "< 128 MiB", OK: peak < 128})
	var cpu float64
	idle, err := b.agentRun(ctx, bin, conf, func(pid int) (float64, error) {
		before, err := cpuTime(pid)
		if err != nil {
			return 0, err
		}
		if err := wait(ctx, b.idle); err != nil {
			return 0, err
		}
		after, err := cpuTime(pid)
		if err != nil {
			return 0, err
		}
		cpu = 100 * (after - before).Seconds() / b.idle.Seconds()
		return mebibytes(pid, "VmRSS")
	})
	if err != nil {
		return err
	}
	b.add(figure{Name: "idle-rss", Value: idle, Unit: "MiB", Bar: "< 64 MiB", OK: idle < 64})
	b.add(figure{Name: "idle-cpu", Value: cpu, Unit: "% core", Bar: "< 0.5 %", OK: cpu < 0.5})
	info, err := os.Stat(bin)
	if err != nil {
		return err
	}
	size := float64(info.Size()) / (1 << 20)
	b.add(figure{Name: "binary-size", Value: size, Unit: "MiB", Bar: "< 20 MiB", OK: size < 20})
	return nil
}

// agentRun runs the program until its journal says that it has caught up, looks
// at the process, and stops it.
func (b *bench) agentRun(ctx context.Context, bin, conf string, look func(pid int) (float64, error)) (float64, error) {
	log, err := os.Create(filepath.Join(b.dir, "agent.log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, bin, "run", "--config", conf)
	cmd.Stdout, cmd.Stderr = log, log
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start agent: %w", err)
	}
	v, err := b.caughtUp(ctx, bin, conf, started, cmd.Process.Pid, look)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if werr := cmd.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("agent: %w", werr)
	}
	return v, err
}

func (b *bench) caughtUp(ctx context.Context, bin, conf string, since time.Time, pid int, look func(int) (float64, error)) (float64, error) {
	for time.Since(since) < patience {
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return 0, err
		}
		out, _ := exec.CommandContext(ctx, bin, "journal", "--config", conf, "--event", "caught_up", "--json",
			"--since", since.UTC().Format(time.RFC3339)).Output()
		if strings.Contains(string(out), "caught_up") {
			return look(pid)
		}
	}
	return 0, errors.New("the agent did not catch up; see its log")
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mebibytes reads one figure of /proc/PID/status.
func mebibytes(pid int, name string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s of process %d", name, pid)
}

// ticksPerSecond of /proc/PID/stat on every Linux that Go runs on.
const ticksPerSecond = 100

func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b)[strings.LastIndexByte(string(b), ')')+1:])
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond, err
}
