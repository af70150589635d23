package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// whereFlags say where the runs are: in a database, or at a server.
type whereFlags struct {
	Server string `placeholder:"URL" help:"Ask the smolscope that serves there, with the token in SMOLSCOPE_TOKEN if it has one, and not a database."`
	DB     string `name:"db" placeholder:"PATH" help:"Database file. By default smolscope.db in your data folder."`
}

// validate is for the Validate of each command; see enrichFlags.
func (f *whereFlags) validate() error {
	if f.Server == "" {
		return nil
	}
	if u, err := url.Parse(f.Server); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--server %s: want an address such as http://127.0.0.1:8080", f.Server)
	}
	return nil
}

// call asks the server, and reads its answer into out unless that is nil.
func (f *whereFlags) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(f.Server, "/")+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	showToken(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		var answer struct{ Error struct{ Message string } }
		if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil || answer.Error.Message == "" {
			return fmt.Errorf("--server %s: no smolscope answers there (%s)", f.Server, response.Status)
		}
		return fmt.Errorf("%s: %s", f.Server, answer.Error.Message)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("--server %s: %w", f.Server, err)
	}
	return nil
}

// showToken has a request show the access token that the environment holds, if it
// does.
func showToken(r *http.Request) {
	if token := os.Getenv("SMOLSCOPE_TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}
