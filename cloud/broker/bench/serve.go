package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	nats "github.com/nats-io/nats-server/v2/server"
)

func serveUntilClosed(kind string) error {
	serve := map[string]func() (string, func(), error){"mochi": serveMochi, "nats": serveNATS}[kind]
	if serve == nil {
		return fmt.Errorf("unknown broker %q: mochi, nats, or the URL of one that runs", kind)
	}
	url, stop, err := serve()
	if err != nil {
		return fmt.Errorf("serve %s: %w", kind, err)
	}
	defer stop()
	fmt.Println(url)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func serveMochi() (string, func(), error) {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return "", nil, err
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := s.AddListener(l); err != nil {
		return "", nil, err
	}
	if err := s.Serve(); err != nil {
		return "", nil, err
	}
	return "tcp://" + l.Address(), func() { s.Close() }, nil
}

func serveNATS() (string, func(), error) {
	dir, err := os.MkdirTemp("", "bench-nats-")
	if err != nil {
		return "", nil, err
	}
	o := &nats.Options{
		ServerName: "bench", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir,
		MQTT: nats.MQTTOpts{Host: "127.0.0.1", Port: -1}, MaxPayload: 2 << 20,
	}
	s, err := nats.NewServer(o)
	if err != nil {
		return "", nil, err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return "", nil, errors.New("not ready after 10 s")
	}
	stop := func() { s.Shutdown(); s.WaitForShutdown(); os.RemoveAll(dir) }
	return fmt.Sprintf("tcp://127.0.0.1:%d", o.MQTT.Port), stop, nil
}
