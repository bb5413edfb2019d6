package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func runCommand(socket *string) *cobra.Command {
	var terminals, controllers []string
	var stateDir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run readers until interrupted",
		Long: `run starts readers and serves them until it is interrupted. It prints what is
up, one reader a line, once all of them answer.

--terminal describes a ZKTeco terminal, --controller a UHPPOTE controller; each
may stand several times. A description is key=value pairs between commas:

  terminal     name      what the other commands call it (required)
               listen    host:port for TCP and UDP, 127.0.0.1:4370; port 0 takes a free one
               users     72byte (default) or 28byte: the width of its user records
               key       communication key, a number; none if left out
               serial    its own number; SIM-<NAME> if left out
               model     as it names itself
               capacity  how many users it holds, 10000
               fingers   fingerprint algorithm, 10 (default) or 9
               gap       between the packets of a long answer, as 5ms: some
                         clients of other makers need each in a read of its own
               state     file in which its memory outlives the program
  controller   name, listen (127.0.0.1:60000), serial, capacity, latency, state`,
		Example: `  doorsync-readersim run --terminal name=front,listen=127.0.0.1:4370,key=1234 \
      --terminal name=back,listen=127.0.0.1:4371,users=28byte,fingers=9 \
      --controller name=gate,listen=127.0.0.1:60000,serial=405419896 --state-dir ./readers`,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			readers, err := parseReaders(terminals, controllers, stateDir)
			if err != nil {
				return usage(err)
			}
			return run(cmd.Context(), *socket, readers, func() error { return printReaders(cmd.OutOrStdout(), statuses(readers), asJSON) })
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&terminals, "terminal", nil, "a ZKTeco terminal, as name=front,listen=127.0.0.1:4370")
	f.StringArrayVar(&controllers, "controller", nil, "a UHPPOTE controller, as name=gate,listen=127.0.0.1:60000,serial=405419896")
	f.StringVar(&stateDir, "state-dir", "", "directory in which every reader keeps its memory; it holds PINs and templates")
	f.BoolVar(&asJSON, "json", false, "print what is up as JSON, one reader a line")
	return cmd
}

// parseReaders reports the faults of all descriptions at once.
func parseReaders(terminals, controllers []string, stateDir string) ([]*reader, error) {
	var readers []*reader
	var errs []error
	seen := map[string]bool{}
	add := func(r *reader, err error) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case seen[r.name]:
			errs = append(errs, fmt.Errorf("two readers are named %s", r.name))
		default:
			seen[r.name] = true
			readers = append(readers, r)
		}
	}
	for _, text := range terminals {
		add(newTerminal(text, stateDir))
	}
	for _, text := range controllers {
		add(newController(text, stateDir))
	}
	if len(terminals)+len(controllers) == 0 {
		errs = append(errs, errors.New("nothing to run: give --terminal or --controller"))
	}
	return readers, errors.Join(errs...)
}

func run(ctx context.Context, socket string, readers []*reader, up func() error) error {
	for _, r := range readers {
		if err := r.device.Listen(r.listen); err != nil {
			return fmt.Errorf("reader %s: %w", r.name, err)
		}
	}
	l, err := listenControl(ctx, socket)
	if err != nil {
		return err
	}
	if err := up(); err != nil {
		return errors.Join(err, l.Close())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return control{readers}.serve(ctx, l) })
	for _, r := range readers {
		g.Go(func() error {
			if err := r.device.Run(ctx); err != nil {
				return fmt.Errorf("reader %s: %w", r.name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func statuses(readers []*reader) []status {
	out := make([]status, 0, len(readers))
	for _, r := range readers {
		out = append(out, r.status())
	}
	return out
}

func printReaders(w io.Writer, readers []status, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		for _, s := range readers {
			if err := enc.Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "READER\tKIND\tADDRESS\tSERIAL\tUSERS")
	for _, s := range readers {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", s.Name, s.Kind, s.Address, s.Serial, s.Users)
	}
	return t.Flush()
}
