package packaging_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"testing"
)

// The limits of the house. Tables of data may exceed them, so the lines of
// composite literals do not count.
const (
	maxFileLines     = 400
	maxTestFileLines = 500 // cases stand beside what they share
	maxFunctionLines = 60
	maxMethods       = 5
)

func TestSizes(t *testing.T) {
	for _, s := range tree(t) {
		limit := maxFileLines
		if s.support() {
			limit = maxTestFileLines
		}
		if n := s.lines(s.file); n > limit {
			t.Errorf("%s has %d lines without tables, more than %d: it has a second subject", s.path, n, limit)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.support() {
				continue
			}
			if n := s.lines(f); n > maxFunctionLines {
				t.Errorf("%s: function %s has %d lines without tables, more than %d", s.at(f), f.Name.Name, n, maxFunctionLines)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok && !s.test && methods(i) > maxMethods {
				t.Errorf("%s: an interface of %d methods, more than %d", s.at(i), methods(i), maxMethods)
			}
			return true
		})
	}
}

// lines counts the lines of a node, less those of the tables in it.
func (s source) lines(n ast.Node) int {
	line := func(p token.Pos) int { return s.set.Position(p).Line }
	count := line(n.End()) - line(n.Pos()) + 1
	ast.Inspect(n, func(inner ast.Node) bool {
		switch inner := inner.(type) {
		case *ast.FuncLit:
			return true
		case *ast.CompositeLit:
			if !holdsCode(inner) {
				count -= line(inner.End()) - line(inner.Pos())
				return false
			}
		}
		return true
	})
	return count
}

// holdsCode tells a table of functions, which is code, from a table of data.
func holdsCode(table ast.Node) bool {
	found := false
	ast.Inspect(table, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			found = true
		}
		return !found
	})
	return found
}

// methods counts what an interface itself asks for; what it embeds is counted
// where that is declared.
func methods(i *ast.InterfaceType) int {
	n := 0
	for _, m := range i.Methods.List {
		n += len(m.Names)
	}
	return n
}

func TestNames(t *testing.T) {
	bad := []string{"util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "base"}
	for _, s := range tree(t) {
		if slices.Contains(bad, path.Base(s.folder)) {
			t.Errorf("%s: a package is named after what is in it, not %q", s.path, path.Base(s.folder))
		}
	}
}

func TestNoHiddenBehavior(t *testing.T) {
	files := tree(t)
	variables := packageVariables(files)
	for _, s := range files {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init() runs unasked: call it what it is and call it", s.at(f))
			}
			if f.Body != nil {
				s.checkBody(t, f.Body, variables[s.folder+" "+s.file.Name.Name])
			}
		}
	}
}

// checkBody looks for waiting by the clock, skipped tests, programs that end
// themselves, and package variables that change.
func (s source) checkBody(t *testing.T, body *ast.BlockStmt, variables []string) {
	t.Helper()
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			s.checkCall(t, n)
		case *ast.AssignStmt:
			for _, target := range n.Lhs {
				if n.Tok != token.DEFINE && s.changes(target, variables) {
					t.Errorf("%s: a package variable changes: give it an owner", s.at(n))
				}
			}
		case *ast.IncDecStmt:
			if s.changes(n.X, variables) {
				t.Errorf("%s: a package variable changes: give it an owner", s.at(n))
			}
		case *ast.GoStmt:
			if within(s.folder, "protocol") && !s.test {
				t.Errorf("%s: protocol starts no goroutine", s.at(n))
			}
		}
		return true
	})
}

func (s source) checkCall(t *testing.T, call *ast.CallExpr) {
	t.Helper()
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	receiver, ok := selector.X.(*ast.Ident)
	if !ok {
		return
	}
	switch name := receiver.Name + "." + selector.Sel.Name; name {
	case "time.Sleep":
		t.Errorf("%s: %s: wait for what is awaited, or use testing/synctest", s.at(call), name)
	case "t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf":
		t.Errorf("%s: %s: a test that cannot run fails and says what to install", s.at(call), name)
	case "log.Fatal", "log.Fatalf", "log.Printf", "log.Println", "log.Print":
		t.Errorf("%s: %s: return errors, log through slog", s.at(call), name)
	case "time.Now":
		if within(s.folder, "protocol") && !s.test {
			t.Errorf("%s: protocol has no clock: take the time as an argument", s.at(call))
		}
	}
}

// packageVariables gives the names of the variables of each package.
func packageVariables(files []source) map[string][]string {
	out := map[string][]string{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if key := s.folder + " " + s.file.Name.Name; name.Name != "_" {
						out[key] = append(out[key], name.Name)
					}
				}
			}
		}
	}
	return out
}

// changes tells whether an assignment's target is, or is part of, one of the
// package's variables.
func (s source) changes(target ast.Expr, variables []string) bool {
	for {
		switch x := target.(type) {
		case *ast.IndexExpr:
			target = x.X
		case *ast.SelectorExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.Ident:
			return slices.Contains(variables, x.Name) && !s.local(x)
		default:
			return false
		}
	}
}

// local uses the parser's own resolution, which binds a name to what declares
// it in the same file; a package variable of another file stays unbound.
func (s source) local(x *ast.Ident) bool {
	if x.Obj == nil {
		return false
	}
	for _, d := range s.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && slices.ContainsFunc(g.Specs, func(spec ast.Spec) bool { return x.Obj.Decl == spec }) {
			return false
		}
	}
	return true
}
