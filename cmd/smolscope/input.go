package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/decode"
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

// read decodes the file, or those in it if it is an archive, and calls use with
// the path of each. Files of one folder belong together.
func (in input) read(reader *decode.Reader, stdin io.Reader, use func(string, *enrich.Part, enrich.File)) {
	content, hold, done, err := in.open(stdin)
	if err != nil {
		use(in.path, nil, in.refusal(err))
		return
	}
	defer done()
	if in.path == "-" {
		in.name = "stdin"
	}
	place := path.Join(filepath.ToSlash(in.folder()), path.Base(in.name))
	others, err := reader.Unpack(in.name, content, hold, func(name string, r io.Reader) error {
		within := strings.TrimPrefix(name, in.name) // the archive's name, or all there is
		part, receipt := reader.Read(name, r)
		if group := path.Dir(place + within); part != nil && group != "." {
			part.Group = group
		}
		use(in.path+within, part, receipt)
		return nil
	})
	for _, receipt := range others {
		use(in.path+strings.TrimPrefix(receipt.Name, in.name), nil, receipt)
	}
	if err != nil {
		use(in.path, nil, in.refusal(err))
	}
}

// open opens the file. What comes through a pipe is kept in a temporary file if
// it has to be read at any place.
func (in input) open(stdin io.Reader) (content io.Reader, hold decode.Hold, done func(), err error) {
	var files []*os.File
	done = func() {
		for _, f := range files {
			f.Close()
		}
	}
	hold = func(r io.Reader) (io.ReaderAt, int64, error) {
		file, err := os.CreateTemp("", "smolscope-*")
		if err != nil {
			return nil, 0, err
		}
		files = append(files, file)
		os.Remove(file.Name()) // where an open file can have no name
		size, err := io.Copy(file, r)
		return file, size, err
	}
	if in.path == "-" {
		return stdin, hold, done, nil
	}
	if in.err != nil {
		return nil, nil, nil, in.err
	}
	file, err := os.Open(in.path)
	if err != nil {
		return nil, nil, nil, err
	}
	files = append(files, file)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		hold = func(io.Reader) (io.ReaderAt, int64, error) { return file, info.Size(), nil }
	}
	return file, hold, done, nil
}

// size returns how many bytes the file has, -1 where that is not known before it
// is read.
func (in input) size() int64 {
	info, err := os.Stat(in.path)
	switch {
	case in.path == "-" || err == nil && !info.Mode().IsRegular():
		return -1
	case err != nil:
		return 0 // nothing is going to be read
	}
	return info.Size()
}

// refusal is the receipt of a file that could not be read at all.
func (in input) refusal(err error) enrich.File {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err // without the path, which names this machine's folders
	}
	return enrich.File{Name: in.name, Repairs: []string{}, Warnings: []enrich.Warning{}, Error: new(err.Error())}
}
