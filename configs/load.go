package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSize keeps a file named by mistake, a database say, out of memory.
const maxSize = 8 << 20

// Load reads the YAML file at path into the structure that into points to.
// What into holds beforehand are the defaults. validate is called once the
// structure is filled, also when something was wrong, so that all faults come
// out together; it must look at the structure only. It may be nil.
//
// A file that cannot be read gives the file system's error; one that cannot be
// used gives *Faults.
//
// Field names come from `yaml` tags, as usual. A time.Duration takes what
// ParseDuration takes.
func Load(path string, into any, validate func() []Fault) error {
	data, err := read(path)
	if err != nil {
		return err
	}
	root, fault := parse(data)
	if fault != nil {
		return &Faults{File: path, List: []Fault{*fault}}
	}
	var shape shaper
	if root != nil {
		shape.walk(root, reflect.TypeOf(into), "", false)
		// What cannot be decoded was found by the walk, with its place.
		if err := root.Decode(into); err != nil && len(shape.faults) == 0 {
			shape.faults = append(shape.faults, decodeFault(err))
		}
	}
	list := shape.faults
	if validate != nil {
		list = append(list, located(root, validate(), shape.faults)...)
	}
	if len(list) == 0 {
		return nil
	}
	return &Faults{File: path, List: sorted(list)}
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read configuration: %w: create it, or name another with --config", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("read configuration: %s is larger than %d MiB: is this the right file?", path, maxSize>>20)
	}
	return data, nil
}

// parse gives the root of the only document, nil for an empty file.
func parse(data []byte) (*yaml.Node, *Fault) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		fault := decodeFault(err)
		return nil, &fault
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &Fault{Line: max(second.Line, 1), Text: "a second document starts here (---): a configuration is one document"}
	} else if !errors.Is(err, io.EOF) {
		fault := decodeFault(err)
		return nil, &fault
	}
	return document.Content[0], nil
}

// decodeFault takes the line out of an error of the YAML package.
func decodeFault(err error) Fault {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if list, ok := errors.AsType[*yaml.TypeError](err); ok && len(list.Errors) > 0 {
		text = list.Errors[0]
	}
	match := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text)
	if match == nil {
		return Fault{Line: 1, Text: text}
	}
	line, err := strconv.Atoi(match[1])
	if err != nil {
		return Fault{Line: 1, Text: text}
	}
	return Fault{Line: line, Text: match[2]}
}
