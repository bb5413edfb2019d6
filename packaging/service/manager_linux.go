package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"
)

func privileged() bool { return os.Geteuid() == 0 }

// prepare makes the account and the folder of a service and gives kardianos
// the unit to write.
func prepare(c Config) (kardianos.KeyValue, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if executable, err = filepath.EvalSymlinks(executable); err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if err := reachable(executable); err != nil {
		return nil, err
	}
	uid, gid, err := ensureAccount()
	if err != nil {
		return nil, err
	}
	if err := ensureData(c.Data, uid, gid); err != nil {
		return nil, err
	}
	for _, file := range c.Reads {
		if err := share(file, gid); err != nil {
			return nil, err
		}
	}
	return kardianos.KeyValue{"SystemdScript": Unit(c, executable)}, nil
}

// reachable refuses a place that the service is kept from seeing.
func reachable(executable string) error {
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(executable, hidden) {
			return fmt.Errorf("the program stands at %s, which a service cannot see: copy it to /usr/local/bin and install it from there", executable)
		}
	}
	return nil
}

// ensureAccount finds the services' user, or makes it.
func ensureAccount() (uid, gid int, err error) {
	u, err := user.Lookup(account)
	if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
		if err := command("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", account); err != nil {
			return 0, 0, fmt.Errorf("make the user %s: %w", account, err)
		}
		u, err = user.Lookup(account)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("find the user %s: %w", account, err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, fmt.Errorf("find the user %s: %w", account, err)
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, fmt.Errorf("find the user %s: %w", account, err)
	}
	return uid, gid, nil
}

// ensureData makes the folder. What is in it may stem from a run by hand, as
// root, so it is handed over as well.
func ensureData(folder string, uid, gid int) error {
	if folder == "" {
		return nil
	}
	if !filepath.IsAbs(folder) {
		return fmt.Errorf("data folder %s: give its whole path in the configuration, a service has no working directory", folder)
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("read data folder: %w", err)
	}
	for _, e := range entries {
		if err := os.Lchown(filepath.Join(folder, e.Name()), uid, gid); err != nil {
			return fmt.Errorf("hand over data folder: %w", err)
		}
	}
	if err := os.Chown(folder, uid, gid); err != nil {
		return fmt.Errorf("hand over data folder: %w", err)
	}
	return nil
}

// share lets the services' group read a file, and nobody else.
func share(file string, gid int) error {
	if err := os.Chown(file, -1, gid); err != nil {
		return fmt.Errorf("let the service read its configuration: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("let the service read its configuration: %w", err)
	}
	if err := os.Chmod(file, info.Mode().Perm()&0o700|0o440); err != nil {
		return fmt.Errorf("let the service read its configuration: %w", err)
	}
	return nil
}

// failed tells a service that systemd has given up on, which kardianos reports
// as an error.
func failed(c Config) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "systemctl", "is-failed", c.Name+".service").Output() // exits 1 unless failed
	return strings.TrimSpace(string(out)) == "failed"
}

func command(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
