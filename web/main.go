//go:build js && wasm

// Program web is smolscope in a browser: it runs in a Web Worker, reads dropped
// files where they are, and renders their pages. Nothing of them is sent.
//
// It is built twice: with the tag parquet it reads Parquet too, and is larger.
package main

import (
	"syscall/js"
)

func main() {
	p := new(preview)
	js.Global().Set("smolscope", map[string]any{
		// read(files, settings, progress) reads files, each {file, name}, with settings
		// as JSON of views.PreviewSettings, and returns the path of the page to open.
		// Progress is called with how many bytes were read since.
		"read": js.FuncOf(func(_ js.Value, args []js.Value) any {
			files := make([]file, args[0].Length())
			for i := range files {
				files[i] = newFile(args[0].Index(i), args[2])
			}
			return p.read(files, args[1].String())
		}),
		// answer(address) returns {status, type, name, body} of a page or a download.
		"answer": js.FuncOf(func(_ js.Value, args []js.Value) any {
			a := p.answer(args[0].String())
			body := js.Global().Get("Uint8Array").New(len(a.body))
			js.CopyBytesToJS(body, a.body)
			return map[string]any{"status": a.status, "type": a.contentType, "name": a.name, "body": body}
		}),
	})
	select {}
}
