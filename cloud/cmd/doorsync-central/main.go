// Command doorsync-central is the center of doorsync: it holds the roster of
// who may enter, exchanges it with the sites, and is what the office works
// with.
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
	return execute(ctx, newRoot(os.LookupEnv), os.Args[1:])
}
