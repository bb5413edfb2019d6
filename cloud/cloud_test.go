package cloud_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/cloud"
	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/config"
)

func settings(t *testing.T) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	cfg.Broker.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.API.TokenFile = filepath.Join(cfg.Data, "api.token")
	return cfg
}

// start runs a center; stop ends it and returns what Run did.
func start(t *testing.T, cfg config.Config) (c *client.Client, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan cloud.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- cloud.Run(ctx, cfg, cloud.Options{Version: "test", Started: func(a cloud.Addresses) { started <- a }})
	}()
	select {
	case a := <-started:
		token, err := api.ReadToken(cfg.API.TokenFile)
		if err != nil {
			t.Fatal(err)
		}
		return client.New("http://"+a.API, token, "tester"), func() error {
			cancel()
			return <-ended
		}
	case err := <-ended:
		cancel()
		t.Fatalf("the center does not start: %v", err)
	case <-time.After(10 * time.Second):
		cancel()
		t.Fatal("the center does not start in time")
	}
	return nil, nil
}

func TestRunKeepsWhatThereIs(t *testing.T) {
	cfg := settings(t)
	c, stop := start(t, cfg)
	if _, err := c.Put(t.Context(), "4", api.Patch{Set: map[string]string{"first_name": "Anna"}}); err != nil {
		t.Fatal(err)
	}
	before, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatalf("stopped with %v", err)
	}
	c, stop = start(t, cfg)
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	u, err := c.User(t.Context(), "4")
	if err != nil || u.Name != "Anna" {
		t.Errorf("got %+v, %v", u, err)
	}
	after, err := c.Version(t.Context())
	if err != nil || after.Roster != before.Roster || after.Revision != before.Revision {
		t.Errorf("got %+v after %+v, %v", after, before, err)
	}
}

func TestRunStopsBesideAFollower(t *testing.T) {
	c, stop := start(t, settings(t))
	ended := make(chan error, 1)
	heard := make(chan struct{}, 8)
	go func() {
		ended <- c.Follow(t.Context(), client.EventQuery{After: "0"}, func(api.Event) error {
			heard <- struct{}{}
			return nil
		})
	}()
	if _, err := c.Put(t.Context(), "4", api.Patch{}); err != nil {
		t.Fatal(err)
	}
	<-heard
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if err := <-ended; err == nil {
		t.Error("the follower was not told that the stream ended")
	}
}

func TestPresetSites(t *testing.T) {
	cfg := settings(t)
	key := filepath.Join(t.TempDir(), "keys", "lyon")
	cfg.Sites = []config.Site{{Name: "LYON", Mode: "groups", Groups: []string{"staff"}, KeyFile: key}, {Name: "OSLO"}}
	for range 2 {
		c, stop := start(t, cfg)
		sites, err := c.Sites(t.Context())
		if err != nil || len(sites) != 2 || sites[0].Mode != "groups" {
			t.Errorf("got %+v, %v", sites, err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(key); err != nil || len(strings.TrimSpace(string(b))) < 20 {
		t.Errorf("key file: %d bytes, %v", len(b), err)
	}
	// Another roster does not overwrite a key that is in use.
	cfg.Data = filepath.Join(t.TempDir(), "other")
	if err := cloud.Run(t.Context(), cfg, cloud.Options{}); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("got %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	taken := settings(t)
	c, stop := start(t, settings(t))
	defer func() { _ = stop() }()
	v, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken.Broker.Listen = v.Broker
	damaged := settings(t)
	if err := os.MkdirAll(damaged.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged.Database(), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]struct {
		cfg  config.Config
		says string
	}{
		"port taken":       {taken, v.Broker},
		"damaged database": {damaged, damaged.Database()},
	} {
		if err := cloud.Run(t.Context(), r.cfg, cloud.Options{}); err == nil || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
