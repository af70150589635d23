package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"smolscope/server"
	"smolscope/server/store"
	"smolscope/views"
)

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
		db, err := openStored(ctx, c.DB)
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
	db, err := openStored(ctx, c.DB)
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
