package configs

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// shaper compares a document with the Go type that it is to fill, and notes
// every unknown key, every key that stands twice and every value that does not
// fit. yaml could do this too, but it names Go types and no paths.
type shaper struct {
	faults []Fault
}

func (s *shaper) fault(n *yaml.Node, path, format string, args ...any) {
	s.faults = append(s.faults, Fault{Path: path, Line: n.Line, Text: fmt.Sprintf(format, args...)})
}

// walk checks one node. secret is set below keys whose values are not shown.
func (s *shaper) walk(n *yaml.Node, t reflect.Type, path string, secret bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if empty(n) {
		return
	}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		s.duration(n, path, secret)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) || t.Kind() == reflect.Interface:
		s.custom(n, t, path)
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		s.structure(n, t, path)
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		s.table(n, t, path, secret)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		s.list(n, t.Elem(), path, secret)
	case n.Kind == yaml.ScalarNode && isScalar(t):
		s.scalar(n, t, path, secret)
	default:
		s.fault(n, path, "%s must be %s, here is %s", name(path), want(t), have(n))
	}
}

// list checks the items. yaml leaves out an item that it cannot decode, which
// would give those behind it other numbers than the file has.
func (s *shaper) list(n *yaml.Node, t reflect.Type, path string, secret bool) {
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		before := len(s.faults)
		if empty(item) {
			s.fault(item, at, "%s is empty", at)
		} else {
			s.walk(item, t, at, secret)
		}
		if len(s.faults) > before && t.Kind() == reflect.Struct && item.Kind != yaml.MappingNode {
			n.Content[i] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: item.Line}
		}
	}
}

// structure checks the keys of a mapping against the fields of a struct.
func (s *shaper) structure(n *yaml.Node, t reflect.Type, path string) {
	known := fields(t)
	s.keys(n, path, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		field, ok := known[key.Value]
		if !ok {
			s.fault(key, at, "unknown key %q%s%s", key.Value, inside(path), suggest(key.Value, known))
			return
		}
		s.walk(value, field, at, hidden(key.Value))
	})
}

// table checks a mapping with free keys.
func (s *shaper) table(n *yaml.Node, t reflect.Type, path string, secret bool) {
	s.keys(n, path, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		s.walk(key, t.Key(), at, false)
		s.walk(value, t.Elem(), at, secret || hidden(key.Value))
	})
}

// keys goes through a mapping, notes keys that stand twice, and drops the
// later ones, because yaml drops the whole mapping otherwise.
func (s *shaper) keys(n *yaml.Node, path string, each func(key, value *yaml.Node)) {
	first := map[string]int{}
	kept := make([]*yaml.Node, 0, len(n.Content))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			s.fault(key, path, "merging with << is not supported: write the keys out")
			continue
		}
		if line, twice := first[key.Value]; twice {
			s.fault(key, join(path, key.Value), "%s stands twice, the first time in line %d", name(join(path, key.Value)), line)
			continue
		}
		first[key.Value] = key.Line
		kept = append(kept, key, value)
		each(key, value)
	}
	n.Content = kept
}

// duration checks a time span and leaves it in the form that yaml decodes.
func (s *shaper) duration(n *yaml.Node, path string, secret bool) {
	if n.Kind != yaml.ScalarNode {
		s.fault(n, path, "%s must be a time span such as 30s, 15m or 90d, here is %s", name(path), have(n))
		return
	}
	d, err := ParseDuration(n.Value)
	if err != nil {
		s.fault(n, path, "%s must be a time span such as 30s, 15m or 90d%s", name(path), shown(n, secret))
		return
	}
	n.Tag, n.Value = "!!str", d.String()
}

// scalar tries one value by itself, so that its fault has a path.
func (s *shaper) scalar(n *yaml.Node, t reflect.Type, path string, secret bool) {
	if err := n.Decode(reflect.New(t).Interface()); err != nil {
		s.fault(n, path, "%s must be %s%s", name(path), want(t), shown(n, secret))
	}
}

// custom lets a type that decodes itself say what is wrong.
func (s *shaper) custom(n *yaml.Node, t reflect.Type, path string) {
	if err := n.Decode(reflect.New(t).Interface()); err != nil {
		s.fault(n, path, "%s: %s", name(path), decodeFault(err).Text)
	}
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Chan, reflect.Func:
		return false
	default:
		return true
	}
}

// fields gives the keys of a struct and their types, inlined structs included.
func fields(t reflect.Type) map[string]reflect.Type {
	known := map[string]reflect.Type{}
	for f := range t.Fields() {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			maps.Copy(known, fields(f.Type))
			continue
		}
		if !f.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		known[key] = f.Type
	}
	return known
}
