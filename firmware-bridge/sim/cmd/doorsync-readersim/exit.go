package main

import "errors"

// Exit codes, as the help lists them.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitNotFound   = 3
	exitNotRunning = 4
)

// codedError is an error that ends the program with a code of its own.
type codedError struct {
	error
	code int
}

func (e codedError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var coded codedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.code
	default:
		return exitFailed
	}
}

func usage(err error) error {
	if err == nil {
		return nil
	}
	return codedError{err, exitUsage}
}
