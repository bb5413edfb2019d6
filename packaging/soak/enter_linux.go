package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// endIn bounds how long the process within may take to end when asked to.
const endIn = 20 * time.Second

// ready tells what is missing before anything is built.
func ready() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces and small disks need root: run \"sudo make soak\"")
	}
	var missing []string
	for command, pkg := range map[string]string{"ip": "iproute2", "tc": "iproute2", "mount": "mount", "mosquitto": "mosquitto", "mosquitto_passwd": "mosquitto"} {
		if !found(command) {
			missing = append(missing, command+" (Debian: apt-get install "+pkg+")")
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("install first: %s", strings.Join(missing, ", "))
	}
	return nil
}

// found looks where Debian puts servers, too.
func found(command string) bool {
	for _, folder := range []string{"", "/usr/sbin/", "/sbin/"} {
		if _, err := exec.LookPath(folder + command); err == nil {
			return true
		}
	}
	return false
}

// enter runs the soak in network, mount and process namespaces of its own: when
// it ends, however it ends, the kernel takes away all interfaces, mounts and
// processes in them.
func enter(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find myself: %w", err)
	}
	runtime.LockOSThread() // the child dies with the thread that started it
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self, "-inside", "-dir", o.dir, "-seed", fmt.Sprint(o.seed), "-duration", o.duration.String()) //nolint:noctx,gosec // ended below, in order; it is this program
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL, Setpgid: true,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make namespaces: %w: run it as root on a machine, or in a container that may (docker run --privileged)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = stop(cmd, ended)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errTold, err)
	}
	return nil
}

// stop asks the process within to end, and ends it when it does not.
func stop(cmd *exec.Cmd, ended <-chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case err := <-ended:
		return err
	case <-time.After(endIn):
		_ = cmd.Process.Kill()
		return <-ended
	}
}

// dump ends a Go program and has it print all its goroutines.
func dump(pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }
