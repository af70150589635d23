package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"strings"

	"smolscope/server"
	"smolscope/views"
)

// post uploads files to a server as they are read, and returns its receipt.
func (c *importCommand) post(ctx context.Context, files iter.Seq2[server.NamedReader, error]) (views.Receipt, error) {
	body, w := io.Pipe()
	form := multipart.NewWriter(w)
	written := make(chan error, 1)
	go func() {
		err := writeForm(form, files)
		w.CloseWithError(err)
		written <- err
	}()
	receipt, err := c.send(ctx, body, form.FormDataContentType())
	body.CloseWithError(errNotSent) // the files are not read on once this returns
	if cause := <-written; cause != nil && !errors.Is(cause, errNotSent) && !errors.Is(cause, io.ErrClosedPipe) {
		return views.Receipt{}, cause
	}
	return receipt, err
}

// errNotSent is the error of writing what nobody reads any more.
var errNotSent = errors.New("the server answered before it had read everything")

func writeForm(form *multipart.Writer, files iter.Seq2[server.NamedReader, error]) error {
	for file, err := range files {
		if err != nil {
			return err
		}
		part, err := form.CreateFormFile("files", file.Name)
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, file); err != nil {
			return err
		}
	}
	return form.Close()
}

func (c *importCommand) send(ctx context.Context, body io.Reader, contentType string) (views.Receipt, error) {
	address := strings.TrimRight(c.Server, "/") + "/upload"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return views.Receipt{}, err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", "application/json")
	showToken(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return views.Receipt{}, fmt.Errorf("--server: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		views.Receipt
		Error *struct{ Message string }
	}
	// Much of an answer is the files' warnings.
	err = json.NewDecoder(io.LimitReader(response.Body, 256<<20)).Decode(&answer)
	switch {
	case err == nil && answer.Error != nil:
		return views.Receipt{}, fmt.Errorf("%s: %s", c.Server, answer.Error.Message)
	case err != nil || answer.Files == nil:
		return views.Receipt{}, fmt.Errorf("--server %s: no smolscope answers there (%s)", c.Server, response.Status)
	}
	return answer.Receipt, nil
}
