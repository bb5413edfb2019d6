// Command doorsync-agent is doorsync at a site: it keeps the site's readers in
// line with one another and with the center, with or without a connection to
// it, and keeps a journal of what happens.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, newRoot(), os.Args[1:])
}
