package smolscope_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"smolscope/static"
	"smolscope/views"
)

// imports says which of our packages each package may import, below the module's
// path. docs/architecture.md draws the same.
var imports = map[string][]string{
	"enrich":                {"enrich/attr", "enrich/unit", "enrich/price"},
	"enrich/attr":           {},
	"enrich/unit":           {},
	"enrich/price":          {"enrich/attr"},
	"enrich/decode":         {"enrich", "enrich/attr"},
	"enrich/decode/parquet": {"enrich", "enrich/attr", "enrich/decode"},
	"enrich/export":         {"enrich", "enrich/attr"},
	"enrich/redact":         {"enrich", "enrich/attr"},
	"enrich/compare":        {"enrich"},
	"enrich/filter":         {"enrich"},
	"enrich/enrichtest":     {"enrich", "enrich/attr"},
	"gpu":                   {},
	"static":                {},
	"views":                 {"enrich", "enrich/attr", "enrich/redact", "enrich/compare", "enrich/filter", "enrich/unit", "views/chart"},
	"views/chart":           {"enrich", "enrich/unit"},
	"server/store":          {"enrich", "enrich/attr", "enrich/filter", "enrich/redact"},
	"server/otlpload":       {},
	"server/sseload":        {},
	"server/hub":            {},
	"server/hub/hubtest":    {},
	"server": {"enrich", "enrich/attr", "enrich/unit", "enrich/price", "enrich/decode", "enrich/decode/parquet", "enrich/export", "enrich/redact", "enrich/compare",
		"gpu", "server/hub", "server/store", "static", "views", "views/chart"},
	"web": {"enrich", "enrich/attr", "enrich/unit", "enrich/price", "enrich/decode", "enrich/decode/parquet", "enrich/export",
		"views", "views/chart"},
}

// impure are packages that would keep enrich and views out of the browser.
var impure = []string{"database/sql", "net/http", "os"}

func TestImports(t *testing.T) {
	for pkg, files := range sources(t) {
		allowed, known := imports[pkg]
		if !known && !strings.HasPrefix(pkg, "cmd/") {
			t.Errorf("%s: a new package: say in arch_test.go and docs/architecture.md what it may import", pkg)
			continue
		}
		pure := strings.HasPrefix(pkg, "enrich") || strings.HasPrefix(pkg, "views")
		for name, file := range files {
			for _, spec := range file.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				if pure && slices.Contains(impure, imported) {
					t.Errorf("%s imports %s, which does not run in the browser", name, imported)
				}
				ours, found := strings.CutPrefix(imported, "smolscope/")
				if found && known && !slices.Contains(allowed, ours) {
					t.Errorf("%s imports %s; %s may import %q only", name, ours, pkg, allowed)
				}
			}
		}
	}
}

func TestPackageDocs(t *testing.T) {
	for pkg, files := range sources(t) {
		var documented []string
		for name, file := range files {
			if file.Doc == nil || ast.IsGenerated(file) {
				continue
			}
			documented = append(documented, name)
			if file.Name.Name != "main" && !strings.HasPrefix(file.Doc.Text(), "Package "+file.Name.Name+" ") {
				t.Errorf("%s: the package's comment should begin with %q", name, "Package "+file.Name.Name)
			}
		}
		if len(documented) != 1 {
			t.Errorf("package %s is documented in %d files %q, want one", pkg, len(documented), documented)
		}
	}
}

func TestExportedDocs(t *testing.T) {
	for _, files := range sources(t) {
		for name, file := range files {
			if ast.IsGenerated(file) || file.Name.Name == "main" {
				continue
			}
			for _, decl := range file.Decls {
				for _, missing := range undocumented(decl) {
					t.Errorf("%s: %s has no doc comment", name, missing)
				}
			}
		}
	}
}

// undocumented returns the exported names of a declaration that neither have a
// comment nor stand in a group that has one.
func undocumented(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.IsExported() && d.Doc == nil {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return nil
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && s.Doc == nil && s.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

var (
	staticPath = regexp.MustCompile(`/static/([\w./-]+\.(?:css|js|svg|wasm))`)
	scriptPath = regexp.MustCompile(`(?:from|import|import\(|new URL\()\s*"(\.[\w./-]+)"`)
	stylePath  = regexp.MustCompile(`(?:url\(|@import )\s*"?([\w./-]+\.(?:css|svg))`)
)

// TestStaticReferences proves that what pages, scripts and style sheets name is
// in the program. Files of dist are there only once they are built.
func TestStaticReferences(t *testing.T) {
	var page strings.Builder
	if err := views.Error(views.NewErrorPage(404, "No such page", "")).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{} // of files in static, and who names them
	for _, m := range staticPath.FindAllStringSubmatch(page.String(), -1) {
		names[m[1]] = "every page"
	}
	if len(names) == 0 {
		t.Error("no page names a file of static: the pattern of this test is out of date")
	}
	for _, name := range tracked(t) {
		ours := !strings.HasSuffix(name, "_test.go") && slices.Contains([]string{".templ", ".go", ".js", ".css"}, path.Ext(name))
		if !ours {
			continue
		}
		text := read(t, name)
		for _, m := range staticPath.FindAllStringSubmatch(text, -1) {
			names[m[1]] = name
		}
		for folder, pattern := range map[string]*regexp.Regexp{"static/js": scriptPath, "static/css": stylePath} {
			if path.Dir(name) != folder {
				continue
			}
			for _, m := range pattern.FindAllStringSubmatch(text, -1) {
				names[path.Join(path.Base(folder), m[1])] = name
			}
		}
	}
	for name, who := range names {
		if strings.HasPrefix(name, "dist/") && !static.Built() {
			continue
		}
		if _, err := fs.Stat(static.FS, name); err != nil {
			t.Errorf("%s names %s, which static does not have", who, name)
		}
	}
}

// TestTrackedFiles keeps what is built, and what is someone else's, out of the
// repository.
func TestTrackedFiles(t *testing.T) {
	for _, name := range tracked(t) {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Size() > 400<<10 {
			t.Errorf("%s has %d bytes; files over 400 kB are built or generated, not committed", name, info.Size())
		}
		switch path.Ext(name) {
		case ".wasm", ".br", ".gz", ".db":
			t.Errorf("%s is built, not written: leave it out", name)
		case ".js", ".css":
			for i, line := range strings.Split(read(t, name), "\n") {
				if len(line) > 500 {
					t.Errorf("%s:%d: %d characters in one line look minified: take the library from npm", name, i+1, len(line))
				}
			}
		}
	}
}

// TestThirdParty proves that docs/third-party.md names every module that the
// program is linked with.
func TestThirdParty(t *testing.T) {
	doc := read(t, "docs/third-party.md")
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, module := range slices.Compact(modules) {
		if module != "smolscope" && !strings.Contains(doc, "| "+module+" |") {
			t.Errorf("docs/third-party.md does not name %s", module)
		}
	}
}

// sources parses every Go file of this module but its tests, by package path.
func sources(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	packages := make(map[string]map[string]*ast.File)
	fset := token.NewFileSet()
	for _, name := range tracked(t) {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		pkg := path.Dir(name)
		if packages[pkg] == nil {
			packages[pkg] = make(map[string]*ast.File)
		}
		packages[pkg][name] = file
	}
	return packages
}

// tracked returns the files that belong to this module: those that git tracks or
// would, outside the modules nested in it.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("needs a git clone: git ls-files: %v", err)
	}
	names := strings.Split(strings.TrimSpace(string(out)), "\n")
	return slices.DeleteFunc(names, func(name string) bool {
		if _, err := os.Stat(name); err != nil {
			return true // deleted, but not yet committed so
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				return true
			}
		}
		return false
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
