package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// listed is what the go command tells of a package.
type listed struct {
	Dir, ImportPath string
	// Export is the file with what other packages see of it.
	Export string
	// GoFiles are those that this platform's build constraints let in.
	GoFiles []string
	// Module is nil for the standard library.
	Module *struct {
		Main      bool
		GoVersion string
	}
}

// typeChecker finds mutants that do not compile, without compiling them: that takes
// milliseconds each, because all of them share what they import.
type typeChecker struct {
	root     string
	fset     *token.FileSet
	importer types.Importer
	// ours are the packages of this repository, by their directory below the root.
	ours map[string]*listed
	// parsed are the files without a mutant, by their name below the root.
	parsed map[string]*ast.File
}

// newTypeChecker asks the go command, once, for all that is imported by the packages
// that the mutants are in.
func newTypeChecker(ctx context.Context, root string, mutants []mutant) (*typeChecker, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	arguments := []string{"list", "-deps", "-export", "-json=Dir,ImportPath,Export,GoFiles,Module"}
	if hasRaceDetector() {
		// That is how everything else is being compiled; without it would be once more.
		arguments = append(arguments, "-race")
	}
	for i := range mutants {
		if pattern := "./" + path.Dir(mutants[i].file); !slices.Contains(arguments, pattern) {
			arguments = append(arguments, pattern)
		}
	}
	r := runner{}
	output, err := r.run(ctx, root, "go", arguments...)
	if err != nil {
		return nil, fmt.Errorf("could not list what is imported: %w\n%s", err, tail(output))
	}

	c := &typeChecker{root: root, fset: token.NewFileSet(), ours: map[string]*listed{}, parsed: map[string]*ast.File{}}
	exports := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("could not read what is imported: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module == nil || !p.Module.Main {
			continue
		}
		directory, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return nil, err
		}
		c.ours[filepath.ToSlash(directory)] = &p
	}
	c.importer = importer.ForCompiler(c.fset, "gc", func(name string) (io.ReadCloser, error) {
		if exports[name] == "" {
			return nil, fmt.Errorf("nothing was compiled of %s", name)
		}
		return os.Open(exports[name])
	})
	return c, nil
}

// stale tells of all mutants that do not fit the code any more.
func stale(ctx context.Context, root string, mutants []mutant) error {
	c, err := newTypeChecker(ctx, root, mutants)
	if err != nil {
		return err
	}
	var problems []error
	for i := range mutants {
		problems = append(problems, c.check(&mutants[i]))
	}
	return errors.Join(problems...)
}

func hasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// check tells in the compiler's words why the mutant does not compile.
func (c *typeChecker) check(m *mutant) error {
	text, err := m.mutated(c.root)
	if err != nil {
		return err
	}
	p := c.ours[path.Dir(m.file)]
	if p == nil || !slices.Contains(p.GoFiles, path.Base(m.file)) {
		return fmt.Errorf("mutant %s: %s is not compiled on this platform", m.name, m.file)
	}
	files := make([]*ast.File, 0, len(p.GoFiles))
	for _, base := range p.GoFiles {
		name := path.Join(path.Dir(m.file), base)
		file, err := c.sound(name)
		if name == m.file {
			file, err = parser.ParseFile(c.fset, name, text, parser.SkipObjectResolution)
		}
		if err != nil {
			return fmt.Errorf("mutant %s does not compile: %w", m.name, err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: c.importer, GoVersion: "go" + p.Module.GoVersion, Sizes: types.SizesFor("gc", runtime.GOARCH)}
	if _, err := config.Check(p.ImportPath, c.fset, files, nil); err != nil {
		return fmt.Errorf("mutant %s does not compile: %w", m.name, err)
	}
	return nil
}

// sound is the file as it is in the repository.
func (c *typeChecker) sound(name string) (*ast.File, error) {
	if file := c.parsed[name]; file != nil {
		return file, nil
	}
	content, err := os.ReadFile(filepath.Join(c.root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(c.fset, name, content, parser.SkipObjectResolution)
	if err == nil {
		c.parsed[name] = file
	}
	return file, err
}
