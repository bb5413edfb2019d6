package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// socketVariable names the control socket for all commands.
const socketVariable = "DOORSYNC_READERSIM"

// defaultSocket is where run listens and the other commands ask.
func defaultSocket() string {
	if s := os.Getenv(socketVariable); s != "" {
		return s
	}
	return filepath.Join(os.TempDir(), "doorsync-readersim.sock")
}

func newRoot() *cobra.Command {
	var socket string
	root := &cobra.Command{
		Use:   "doorsync-readersim",
		Short: "Readers that do not exist, for trying doorsync without a device in the room",
		Long: `doorsync-readersim runs simulated readers that speak the real dialects over
real sockets: ZKTeco terminals (TCP and UDP, usually port 4370) and UHPPOTE
controllers (UDP and TCP, usually port 60000). Agents, and programs that know
nothing of doorsync, connect to them as to devices.

While "run" runs, the other commands are what somebody does who stands at the
reader: enroll a person, edit, delete, pass. The reader's log and its live
events tell of it as a device's would.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such reader or user,
4 no readers are running.`,
		Example: `  doorsync-readersim run --terminal name=front,listen=127.0.0.1:4370 &
  doorsync-readersim enroll front --id 4 --name "Anna Meyer" --card 6543 --pin 1234 --finger 6
  doorsync-readersim list front`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          func(cmd *cobra.Command, args []string) error { return usage(cobra.NoArgs(cmd, args)) },
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&socket, "control", defaultSocket(),
		"socket on which run listens and the other commands ask; also in $"+socketVariable)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(runCommand(&socket), enrollCommand(&socket), editCommand(&socket), deleteCommand(&socket),
		listCommand(&socket), presentCommand(&socket), faultCommand(&socket))
	return root
}

// exactly wraps cobra's check so that a wrong number of words is wrong usage.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return usage(cobra.ExactArgs(n)(cmd, args)) }
}
