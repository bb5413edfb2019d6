package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// spec is one reader as a flag describes it: key=value pairs, each key once.
type spec struct {
	flag   string
	values map[string]string
	faults []error
}

func parseSpec(flag, text string) *spec {
	s := &spec{flag: flag, values: map[string]string{}}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		_, twice := s.values[key]
		switch {
		case !ok || key == "" || value == "":
			s.fault("%q: write key=value", pair)
		case twice:
			s.fault("%s stands twice", key)
		default:
			s.values[key] = value
		}
	}
	return s
}

func (s *spec) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Errorf("--"+s.flag+": "+format, args...))
}

// text takes a value out of the description.
func (s *spec) text(key, preset string) string {
	v, ok := s.values[key]
	if !ok {
		return preset
	}
	delete(s.values, key)
	return v
}

func (s *spec) number(key string, bits int) uint64 {
	v := s.text(key, "0")
	n, err := strconv.ParseUint(v, 10, bits)
	if err != nil {
		s.fault("%s=%s: write a number", key, v)
	}
	return n
}

func (s *spec) choice(key, preset string, of ...string) string {
	v := s.text(key, preset)
	if !slices.Contains(of, v) {
		s.fault("%s=%s: write one of %s", key, v, strings.Join(of, ", "))
	}
	return v
}

func (s *spec) duration(key string) time.Duration {
	v := s.text(key, "0s")
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		s.fault("%s=%s: write a duration such as 5ms", key, v)
	}
	return d
}

// name and listen are what every reader has.
func (s *spec) name() string {
	n := s.text("name", "")
	if n == "" || strings.ContainsAny(n, "/\\ ") {
		s.fault("a reader needs name=, without blanks and slashes")
	}
	return n
}

// state is the file of a reader's memory: its own, or one in the directory for
// all.
func (s *spec) state(dir, name string) string {
	if file := s.text("state", ""); file != "" {
		return file
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name+".json")
}

// done reports every fault, keys that nobody took included.
func (s *spec) done(known ...string) error {
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		s.fault("unknown key %q; known are %s", key, strings.Join(known, ", "))
	}
	return errors.Join(s.faults...)
}
