package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"smolscope/server"
	"smolscope/server/store"
	"smolscope/views"
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

// open opens the database, which must be there already.
func (f *whereFlags) open(ctx context.Context) (*store.Store, error) {
	path := f.DB
	if path == "" {
		var err error
		if path, err = databasePath("smolscope.db"); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no database to read: %w", err)
	}
	return store.Open(ctx, path)
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
	if token := os.Getenv("SMOLSCOPE_TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
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

type shareCommand struct {
	ID       string `arg:"" name:"run" help:"Id of the run."`
	Expires  string `placeholder:"TIME" help:"How long the link lasts, such as 7d, 12h or 30m; for ever by default."`
	Redact   bool   `help:"Mask keys, tokens, passwords, e-mail addresses and names in paths of home folders."`
	HideText bool   `help:"Leave out prompts, responses, what tools were given and gave, and errors; masks, too."`
	URL      string `name:"url" default:"http://127.0.0.1:8080" help:"Address at which those who get the link find the dashboard, if it is not --server's."`
	whereFlags
}

// Help is the long help text.
func (shareCommand) Help() string {
	return `Prints a link that shows the run, and nothing else, to whoever has it. It is printed this
once: only a hash of it is kept. "smolscope unshare" revokes it.

Example: a link for a week, without secrets

  smolscope share 3f1c9f0e --expires 7d --redact`
}

// Validate is called by kong once the flags are read.
func (c *shareCommand) Validate() error {
	_, err := server.ExpiresIn(c.Expires)
	if err != nil {
		err = fmt.Errorf("--expires %w", err)
	}
	return cmp.Or(err, c.whereFlags.validate())
}

// Run makes the link and prints it.
func (c *shareCommand) Run(ctx context.Context, std streams) error {
	request := server.ShareRequest{Expires: &c.Expires, Redact: c.Redact, HideText: c.HideText}
	var link server.SharedLink
	base := c.URL
	if c.Server != "" {
		base = c.Server
		if err := c.call(ctx, http.MethodPost, "/api/v1"+views.SharesURL(c.ID), request, &link); err != nil {
			return err
		}
	} else {
		db, err := c.open(ctx)
		if err != nil {
			return err
		}
		defer db.Close()
		link, err = server.NewShare(ctx, db, c.ID, request, time.Now())
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no run %q", c.ID)
		}
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(std.out, strings.TrimRight(base, "/")+link.URL)
	return err
}

type unshareCommand struct {
	Token string `arg:"" help:"The link, its token, or its id from the page of the run's links."`
	whereFlags
}

// Validate is called by kong once the flags are read.
func (c *unshareCommand) Validate() error { return c.whereFlags.validate() }

// Run revokes the link.
func (c *unshareCommand) Run(ctx context.Context, std streams) error {
	token := c.Token[strings.LastIndexByte(c.Token, '/')+1:]
	if c.Server != "" {
		return c.call(ctx, http.MethodDelete, "/api/v1/shares/"+url.PathEscape(token), nil, nil)
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.RevokeShare(ctx, token)
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("there is no such link; it may have been revoked before")
	}
	return err
}
