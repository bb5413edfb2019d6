// Package packaging_test holds the rules of the house as tests: who may import
// whom, and how large things may grow.
package packaging_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "doorsync"

// source is one Go file of the product, whatever system it is built for.
type source struct {
	path    string // within the repository, with slashes
	folder  string // its directory, the import path without the module
	test    bool   // _test.go
	imports []string
	file    *ast.File
	set     *token.FileSet
}

// tree reads all Go files of the module, nested modules left out.
func tree(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var out []source
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return foreign(root, file, d.Name())
		}
		if strings.HasSuffix(file, ".go") {
			out = append(out, parse(t, root, file))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found %d Go files only: the test looks in the wrong place", len(out))
	}
	return out
}

func foreign(root, folder, name string) error {
	if folder == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "build" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(t *testing.T, root, file string) source {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(root, file)
	if err != nil {
		t.Fatal(err)
	}
	s := source{path: filepath.ToSlash(relative), file: parsed, set: set, test: strings.HasSuffix(file, "_test.go")}
	s.folder = path.Dir(s.path)
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		s.imports = append(s.imports, name)
	}
	return s
}

// at is the place of a node, for messages.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// support tells packages that exist for tests: the examinations of drivers and
// stores, and this folder's end-to-end runs.
func (s source) support() bool {
	base := path.Base(s.folder)
	return s.test || strings.HasSuffix(base, "test") || strings.Contains(s.folder, "test/")
}

// within tells whether a folder is, or lies under, another.
func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}
