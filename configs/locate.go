package configs

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// located gives the faults of a program's own check their lines, without those
// that only follow from a fault found before: a value that could not be read is
// not missing.
func located(root *yaml.Node, list, before []Fault) []Fault {
	var out []Fault
	for _, f := range list {
		if covered(f.Path, before) {
			continue
		}
		f.Line = 1
		if root != nil {
			f.Line = lineOf(root, f.Path)
		}
		out = append(out, f)
	}
	return out
}

func covered(path string, before []Fault) bool {
	for _, b := range before {
		if path == b.Path && path != "" {
			return true
		}
		if rest, ok := strings.CutPrefix(path, b.Path); ok && b.Path != "" && strings.ContainsAny(rest[:1], ".[") {
			return true
		}
	}
	return false
}

// lineOf follows a path as far as the document goes: what is missing is
// reported at the line of whatever should have held it.
func lineOf(n *yaml.Node, path string) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	path = strings.TrimPrefix(path, ".")
	if path == "" {
		return n.Line
	}
	if n.Kind == yaml.SequenceNode {
		return lineOfItem(n, path)
	}
	if n.Kind != yaml.MappingNode {
		return n.Line
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		rest, ok := strings.CutPrefix(path, key.Value)
		if !ok || rest != "" && !strings.ContainsAny(rest[:1], ".[") {
			continue
		}
		if rest == "" || value.Kind == yaml.ScalarNode {
			return key.Line
		}
		return lineOf(value, rest)
	}
	return n.Line
}

func lineOfItem(n *yaml.Node, path string) int {
	index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
	i, err := strconv.Atoi(index)
	if !ok || err != nil || i < 0 || i >= len(n.Content) {
		return n.Line
	}
	return lineOf(n.Content[i], rest)
}
