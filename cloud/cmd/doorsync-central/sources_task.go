package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/sources/taskfile"
	"doorsync/configs"
)

const taskHelp = `Writes what has an operating system run "import" at the interval of the source,
also on another machine than the center: a task that the Windows Task Scheduler
imports as it is, and a service with a timer for systemd. It changes nothing on
this machine; what to do with the files is printed.

With --file the machine sends that file; without it the center reads the source's
own. The task needs the center's token: --task-token-file says where it lies on
that machine, readable for the account alone.
Give the source "--interval" so that a run that has not come is noticed.`

// taskFlags is what the flags of task-config were set to.
type taskFlags struct {
	windows, systemd                    bool
	out, file, program, interval, runAs string
	taskAPI, taskToken                  string
}

func (a *app) sourcesTask() *cobra.Command {
	var t taskFlags
	cmd := &cobra.Command{
		Use: "task-config <source>", Short: "Write a task for Windows, or units for systemd, that import a source again and again",
		Long: taskHelp,
		Example: `  doorsync-central sources task-config hr --systemd --out /etc/systemd/system
  doorsync-central sources task-config hr --windows --file 'C:\Export\users.csv' \
      --task-api http://center.example.org:8480 --task-token-file 'C:\ProgramData\doorsync\api.token'`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error { return a.writeTasks(cmd, names[0], t) },
	}
	f := cmd.Flags()
	f.BoolVar(&t.windows, "windows", false, "only for the Windows Task Scheduler")
	f.BoolVar(&t.systemd, "systemd", false, "only for systemd")
	f.StringVar(&t.out, "out", ".", "folder to write to")
	f.StringVar(&t.file, "file", "", "file to send, as that machine sees it")
	f.StringVar(&t.interval, "interval", "", "how often (default: the source's interval)")
	f.StringVar(&t.program, "program", "", "path of doorsync-central on that machine")
	f.StringVar(&t.runAs, "run-as", "", "account that runs it (default: SYSTEM on Windows, doorsync on Linux)")
	f.StringVar(&t.taskAPI, "task-api", "", "address of the center's API from that machine (default: the one used now)")
	f.StringVar(&t.taskToken, "task-token-file", "", "where the token lies on that machine (default: the one used now)")
	return cmd
}

func (a *app) writeTasks(cmd *cobra.Command, name string, t taskFlags) error {
	where, err := a.find()
	if err != nil {
		return err
	}
	task := taskfile.Task{Source: name, File: t.file, User: t.runAs, API: cmp.Or(t.taskAPI, where.base), TokenFile: t.taskToken}
	if task.TokenFile == "" && where.tokenFile != "" {
		task.TokenFile = wholePath(where.tokenFile)
	}
	if task.Interval, err = a.taskInterval(cmd, name, t.interval); err != nil {
		return err
	}
	if t.windows == t.systemd { // both, unless a path tells which system that is
		path := cmp.Or(t.file, t.program, t.taskToken)
		t.windows, t.systemd = !strings.HasPrefix(path, "/"), path == "" || strings.HasPrefix(path, "/")
	}
	if t.windows {
		err = errors.Join(err, t.writeWindows(cmd, task))
	}
	if t.systemd {
		err = errors.Join(err, t.writeSystemd(cmd, task))
	}
	return err
}

// taskInterval is the one asked for, or the source's own.
func (a *app) taskInterval(cmd *cobra.Command, name, text string) (time.Duration, error) {
	if text == "" {
		c, err := a.connect()
		if err != nil {
			return 0, err
		}
		s, err := c.Source(cmd.Context(), name)
		if err != nil {
			return 0, err
		}
		if s.CSV == nil {
			return 0, usagef("%s is built in and not imported", name)
		}
		if text = s.CSV.Interval; text == "off" || text == "" {
			return 0, usagef("%s has no interval; say how often with --interval", name)
		}
	}
	d, err := configs.ParseDuration(text)
	if err != nil {
		return 0, usagef("--interval: %w", err)
	}
	return d, nil
}

// Where things are put on machines that are not this one.
const (
	programOnWindows = `C:\Program Files\doorsync\doorsync-central.exe`
	tokenOnWindows   = `C:\ProgramData\doorsync\api.token`
	programOnLinux   = "/usr/local/bin/doorsync-central"
	tokenOnLinux     = "/etc/doorsync/api.token"
)

func (t taskFlags) writeWindows(cmd *cobra.Command, task taskfile.Task) error {
	task.Program = cmp.Or(t.program, thisProgram("windows"), programOnWindows)
	if task.TokenFile == "" || strings.HasPrefix(task.TokenFile, "/") {
		task.TokenFile = tokenOnWindows
	}
	content, err := task.Windows()
	if err != nil {
		return usageError{err}
	}
	path := filepath.Join(t.out, "doorsync-import-"+task.Source+".xml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write task: %w", err)
	}
	return say(cmd.OutOrStdout(), `%s
  on Windows, as an administrator:  schtasks /Create /TN "doorsync\%s" /XML "%s"
  it reads the token from %s`, path, task.TaskName(), filepath.Base(path), task.TokenFile)
}

func (t taskFlags) writeSystemd(cmd *cobra.Command, task taskfile.Task) error {
	task.Program = cmp.Or(t.program, thisProgram("linux"), programOnLinux)
	if !strings.HasPrefix(task.TokenFile, "/") {
		task.TokenFile = tokenOnLinux
	}
	units, err := task.Systemd()
	if err != nil {
		return usageError{err}
	}
	for end, content := range map[string][]byte{".service": units.Service, ".timer": units.Timer} {
		if err := os.WriteFile(filepath.Join(t.out, units.Name+end), content, 0o644); err != nil { //nolint:gosec // units are read by all
			return fmt.Errorf("write units: %w", err)
		}
	}
	return say(cmd.OutOrStdout(), `%s.service
%[1]s.timer
  put both into /etc/systemd/system, then:  systemctl daemon-reload && systemctl enable --now %s.timer
  the service reads the token from %s`, filepath.Join(t.out, units.Name), units.Name, task.TokenFile)
}

// thisProgram is where this program stands, if it is one for the system.
func thisProgram(system string) string {
	if runtime.GOOS != system {
		return ""
	}
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}
