package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// name is what a path is called in a sentence.
func name(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// hidden tells keys whose values must not be printed.
func hidden(key string) bool {
	for _, word := range []string{"password", "key", "token", "secret", "pin"} {
		if strings.Contains(strings.ToLower(key), word) {
			return true
		}
	}
	return false
}

func shown(n *yaml.Node, secret bool) string {
	if secret {
		return ""
	}
	return fmt.Sprintf(", here is %q", n.Value)
}

func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "keys with values"
	default:
		return "text"
	}
}

func have(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys with values"
	default:
		return "a single value"
	}
}

// suggest names the known key that an unknown one was probably meant to be, or
// all of them if there are few.
func suggest(key string, known map[string]reflect.Type) string {
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	slices.Sort(names)
	best, distance := "", 3
	for _, k := range names {
		if d := edits(strings.ToLower(key), k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" && distance < len(key) {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	return ": known are " + strings.Join(names, ", ")
}

// edits counts the letters to add, drop or change from a to b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
