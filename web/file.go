//go:build js && wasm

package main

import (
	"bufio"
	"errors"
	"io"
	"syscall/js"
)

// chunk is how many bytes of a file are in memory at once.
const chunk = 1 << 20

// A file is one that was dropped. It is read a chunk at a time, so that its size
// does not matter.
type file struct {
	name     string
	blob     js.Value
	size     int64
	progress js.Value // called with how many bytes more were read
}

func newFile(entry, progress js.Value) file {
	blob := entry.Get("file")
	return file{entry.Get("name").String(), blob, int64(blob.Get("size").Float()), progress}
}

// stream returns the file's bytes from its beginning.
func (f file) stream() io.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(f, 0, f.size), chunk)
}

// ReadAt reads at any place. The error is the browser's, such as that the file
// was changed since it was dropped.
func (f file) ReadAt(p []byte, off int64) (n int, err error) {
	if off >= f.size {
		return 0, io.EOF
	}
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			n, err = 0, errors.New("the browser cannot read the file: "+thrown.Value.Get("message").String())
		}
	}()
	end := min(off+int64(len(p)), f.size)
	buffer := js.Global().Get("FileReaderSync").New().Call("readAsArrayBuffer", f.blob.Call("slice", off, end))
	n = js.CopyBytesToGo(p, js.Global().Get("Uint8Array").New(buffer))
	f.progress.Invoke(n)
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}
