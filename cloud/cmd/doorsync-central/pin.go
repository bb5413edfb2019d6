package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// mostOfPIN bounds what is read for a PIN.
const mostOfPIN = 64

// pin gets the PIN without it ever standing on the command line.
func (p *putFlags) pin(cmd *cobra.Command) (string, error) {
	var raw []byte
	var err error
	switch {
	case p.askPIN && p.pinFile != "":
		return "", usagef("either --pin or --pin-file, not both")
	case p.askPIN:
		raw, err = askPIN(cmd)
	case p.pinFile == "-":
		raw, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), mostOfPIN))
	case p.pinFile != "":
		raw, err = readPIN(p.pinFile)
	default:
		return "", nil
	}
	if err != nil {
		return "", err
	}
	pin := strings.TrimSpace(string(raw))
	if pin == "" || strings.Trim(pin, "0123456789") != "" {
		return "", errors.New("the PIN must be digits; to take it away use --blank pin")
	}
	return pin, nil
}

func readPIN(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read PIN: %w", err)
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, mostOfPIN))
}

func askPIN(cmd *cobra.Command) ([]byte, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) { //nolint:gosec // file descriptors are small
		return nil, usagef("--pin asks at a terminal, and this is none; use --pin-file")
	}
	_, _ = fmt.Fprint(cmd.ErrOrStderr(), "PIN: ")
	raw, err := term.ReadPassword(int(in.Fd())) //nolint:gosec // as above
	_, _ = fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return nil, fmt.Errorf("ask for PIN: %w", err)
	}
	return raw, nil
}
