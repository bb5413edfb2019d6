//go:build !linux

package main

import (
	"context"
	"errors"
)

var errLinux = errors.New("this needs network namespaces, which Linux alone has: run it there")

func ready() error { return errLinux }

func enter(context.Context, options) error { return errLinux }

func dump(int) error { return errLinux }
