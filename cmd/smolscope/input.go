package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/decode/parquet"
)

// An input is one file to read, or the reason why there is none.
type input struct {
	path string // as the arguments have it; "-" is standard input
	name string // as the output has it
	err  error
}

// inputs lists the files that the arguments name, folders walked in order of
// name. Each is named by its path below the folder that all of them lie in, so
// that the output does not depend on where that is.
func inputs(args []string) []input {
	var list []input
	for _, arg := range args {
		if info, err := os.Stat(arg); arg != "-" && err == nil && info.IsDir() {
			list = append(list, walk(arg)...)
		} else {
			list = append(list, input{path: arg}) // what does not exist is said when it is read
		}
	}
	shared := ""
	for _, in := range list {
		if folder := in.folder(); shared == "" {
			shared = folder
		} else if folder != "" {
			for !below(shared, folder) {
				shared = filepath.Dir(shared)
			}
		}
	}
	for i, in := range list {
		list[i].name = filepath.ToSlash(in.path)
		if name, err := filepath.Rel(shared, filepath.Join(in.folder(), filepath.Base(in.path))); err == nil && in.path != "-" {
			list[i].name = filepath.ToSlash(name)
		}
	}
	return list
}

// folder returns the absolute path of the folder the file lies in, "" for
// standard input.
func (in input) folder() string {
	path, err := filepath.Abs(in.path)
	if in.path == "-" || err != nil {
		return ""
	}
	return filepath.Dir(path)
}

// below reports whether a path is the folder's own or lies in it.
func below(folder, path string) bool {
	name, err := filepath.Rel(folder, path)
	return err != nil || filepath.IsLocal(name) // an error: another drive, which nothing is above
}

// walk lists the files below a folder. Hidden ones are passed over, and so is
// what is no file; a link to a file counts as one, as Hugging Face's cache has it.
func walk(folder string) []input {
	var list []input
	tree := os.DirFS(folder)
	fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		path := filepath.Join(folder, filepath.FromSlash(name))
		hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
		switch {
		case err != nil:
			list = append(list, input{path: path, err: err})
		case hidden && entry.IsDir():
			return fs.SkipDir
		case !hidden:
			if info, err := fs.Stat(tree, name); err != nil || info.Mode().IsRegular() {
				list = append(list, input{path: path, err: err})
			}
		}
		return nil
	})
	if len(list) == 0 {
		return []input{{path: folder, err: errors.New("no files in this folder")}}
	}
	return list
}

// read decodes the file, noting its folder: files of one folder belong together.
func (in input) read(stdin io.Reader) (*enrich.Part, enrich.File) {
	if in.path == "-" {
		return decode.Read("stdin", stdin, parquet.Format)
	}
	if in.err != nil {
		return nil, in.refusal(in.err)
	}
	file, err := os.Open(in.path)
	if err != nil {
		return nil, in.refusal(err)
	}
	defer file.Close()
	part, receipt := decode.Read(in.name, file, parquet.Format)
	if part != nil {
		part.Group = filepath.ToSlash(in.folder())
	}
	return part, receipt
}

// refusal is the receipt of a file that could not be read at all.
func (in input) refusal(err error) enrich.File {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err // without the path, which names this machine's folders
	}
	return enrich.File{Name: in.name, Repairs: []string{}, Warnings: []enrich.Warning{}, Error: new(err.Error())}
}
