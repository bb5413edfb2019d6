package main

import (
	"fmt"
	"slices"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

type result struct{ p50, p99, small, large, largeP50 float64 }

func measure(url string, qos byte, n int) (result, error) {
	var r result
	var err error
	if r.p50, r.p99, err = roundTrips(url, qos, n, 1<<10); err != nil {
		return r, err
	}
	if r.largeP50, _, err = roundTrips(url, qos, n/10, 90<<10); err != nil {
		return r, err
	}
	if r.small, err = throughput(url, qos, 20*n, 1<<10, 256); err != nil {
		return r, err
	}
	r.large, err = throughput(url, qos, n, 90<<10, 16)
	return r, err
}

func connect(url, id string) (mqtt.Client, error) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(id).SetCleanSession(true).SetOrderMatters(true).SetAutoReconnect(false))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return nil, fmt.Errorf("connect to %s: %w", url, t.Error())
	}
	return c, nil
}

// pair is two connected clients; what a publishes on "there" b hears.
func pair(url string, qos byte, heard func(b mqtt.Client)) (a, b mqtt.Client, err error) {
	if a, err = connect(url, "bench-a"); err != nil {
		return nil, nil, err
	}
	if b, err = connect(url, "bench-b"); err != nil {
		return nil, nil, err
	}
	t := b.Subscribe("there", qos, func(c mqtt.Client, _ mqtt.Message) { heard(c) })
	t.Wait()
	return a, b, t.Error()
}

// roundTrips times one message at a time, there and back: two hops.
func roundTrips(url string, qos byte, n, size int) (p50, p99 float64, err error) {
	payload := make([]byte, size)
	a, b, err := pair(url, qos, func(c mqtt.Client) { c.Publish("back", qos, false, payload) })
	if err != nil {
		return 0, 0, err
	}
	defer a.Disconnect(50)
	defer b.Disconnect(50)
	back := make(chan struct{}, 1)
	if t := a.Subscribe("back", qos, func(mqtt.Client, mqtt.Message) { back <- struct{}{} }); t.Wait() && t.Error() != nil {
		return 0, 0, t.Error()
	}
	took := make([]float64, 0, n)
	for range n {
		begun := time.Now()
		a.Publish("there", qos, false, payload)
		select {
		case <-back:
		case <-time.After(5 * time.Second):
			return 0, 0, fmt.Errorf("a message of %d bytes was lost", size)
		}
		took = append(took, float64(time.Since(begun).Microseconds()))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}

// throughput keeps a window of messages under way until n have arrived.
func throughput(url string, qos byte, n, size, window int) (float64, error) {
	room := make(chan struct{}, window)
	a, b, err := pair(url, qos, func(mqtt.Client) { <-room })
	if err != nil {
		return 0, err
	}
	defer a.Disconnect(50)
	defer b.Disconnect(50)
	payload := make([]byte, size)
	begun := time.Now()
	for i := range n + window {
		select {
		case room <- struct{}{}:
		case <-time.After(5 * time.Second):
			return 0, fmt.Errorf("%d of %d messages of %d bytes arrived", i-window, n, size)
		}
		if i < n {
			a.Publish("there", qos, false, payload)
		}
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}

// memoryPerConnection is what n subscribed clients add to the broker, in KiB each.
func memoryPerConnection(b *process, n int) (float64, error) {
	before := b.rss()
	var all []mqtt.Client
	defer func() {
		for _, c := range all {
			c.Disconnect(0)
		}
	}()
	for i := range n {
		c, err := connect(b.url, fmt.Sprintf("site-%d", i))
		if err != nil {
			return 0, err
		}
		all = append(all, c)
		if t := c.Subscribe(fmt.Sprintf("sites/%d/down/#", i), 1, func(mqtt.Client, mqtt.Message) {}); t.Wait() && t.Error() != nil {
			return 0, t.Error()
		}
	}
	return (b.rss() - before) * 1024 / float64(n), nil
}
