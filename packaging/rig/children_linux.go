package rig

import (
	"os/exec"
	"syscall"
)

// own makes a child the rig's alone: a Ctrl-C in the terminal goes to the rig,
// which stops its children in order, and none outlives it.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
