// Command bench compares brokers that could be embedded in doorsync-central,
// and one outside it, at what doorsync asks of a broker: one small message at
// once, many at once, large ones, and many sites that do nothing.
//
//	go run . [-n 3000] [mochi nats tcp://127.0.0.1:1883]
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

func main() {
	n := flag.Int("n", 3000, "round trips to measure")
	serve := flag.String("serve", "", "be the broker (mochi or nats) until standard input closes")
	flag.Parse()
	if *serve != "" {
		exitOn(serveUntilClosed(*serve))
		return
	}
	kinds := flag.Args()
	if len(kinds) == 0 {
		kinds = []string{"mochi", "nats"}
	}
	fmt.Printf("%-22s %3s %10s %10s %12s %12s %12s %9s %9s\n", "broker", "QoS", "p50 µs", "p99 µs", "1 KiB msg/s", "90 KiB msg/s", "90 KiB p50µs", "idle MiB", "KiB/conn")
	for _, k := range kinds {
		exitOn(compare(k, *n))
	}
}

func compare(kind string, n int) error {
	b, err := start(kind)
	if err != nil {
		return err
	}
	defer b.stop()
	idle := b.rss()
	perConn, err := memoryPerConnection(b, 200)
	if err != nil {
		return err
	}
	for _, qos := range []byte{0, 1} {
		r, err := measure(b.url, qos, n)
		if err != nil {
			return err
		}
		fmt.Printf("%-22s %3d %10.0f %10.0f %12.0f %12.0f %12.0f %9.1f %9.1f\n", kind, qos, r.p50, r.p99, r.small, r.large, r.largeP50, idle, perConn)
	}
	return nil
}

// process is a broker outside this process, so that its memory and its share of
// the machine are its own.
type process struct {
	url  string
	cmd  *exec.Cmd
	stop func()
}

func start(kind string) (*process, error) {
	if strings.Contains(kind, "://") {
		return &process{url: kind, stop: func() {}}, nil
	}
	cmd := exec.Command(os.Args[0], "-serve", kind)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	stop := func() { in.Close(); _ = cmd.Wait() }
	return &process{url: strings.TrimSpace(line), cmd: cmd, stop: stop}, nil
}

// rss is the broker's resident memory in MiB, 0 when it is not ours to ask.
func (p *process) rss() float64 {
	if p.cmd == nil {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
