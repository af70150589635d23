package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"smolscope/enrich/decode"
	"smolscope/server"
	"smolscope/server/hub"
	"smolscope/server/store"
	"smolscope/static"
)

type serveCommand struct {
	Addr      string `default:"127.0.0.1:8080" help:"Address to listen on; port 0 is any that is free."`
	OTLPAddr  string `name:"otlp-addr" default:"127.0.0.1:4318" help:"Address that senders of OTLP over HTTP find by default; empty for none. They may also use the address of the dashboard."`
	DB        string `name:"db" placeholder:"PATH" help:"Database file, made where there is none. By default smolscope.db in your data folder."`
	MaxUpload size   `default:"1GiB" help:"Most bytes that one upload may have."`
	enrichFlags
	limitFlags
	Open bool `help:"Open the dashboard in the browser."`
	Demo bool `help:"Serve sample runs, which were made up, from demo.db beside the database."`
	Dev  bool `hidden:"" help:"Serve static files from the folder static, as they are now."`
}

// Help is the long help text.
func (serveCommand) Help() string {
	return `The dashboard is for this machine alone: addresses that others can reach are refused.

Example: a dashboard with a database of the project's own

  smolscope serve --addr 127.0.0.1:9000 --db evaluations.db`
}

// Validate is called by kong once the flags are read.
func (c *serveCommand) Validate() error {
	if err := onLoopback("--addr", c.Addr, "127.0.0.1:8080"); err != nil {
		return err
	}
	if c.OTLPAddr != "" {
		if err := onLoopback("--otlp-addr", c.OTLPAddr, "127.0.0.1:4318"); err != nil {
			return err
		}
	}
	return cmp.Or(c.enrichFlags.validate(), c.limitFlags.validate())
}

// onLoopback refuses an address that others can reach.
func onLoopback(flag, addr, example string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s %s: want a host and a port, such as %s", flag, addr, example)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s %s: others could read and change everything there, and this version has no access tokens; "+
			"listen on 127.0.0.1 and reach it from elsewhere through ssh -L", flag, addr)
	}
	return nil
}

// Run serves until ctx is done or a signal says to end.
func (c *serveCommand) Run(ctx context.Context, std streams) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(std.err, nil))

	// First of all, so that a second server on one address leaves the database alone.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("--addr %s is in use, perhaps by another smolscope: end that one or choose another port", c.Addr)
	}
	if err != nil {
		return err
	}
	defer listener.Close()

	options, err := c.options()
	if err != nil {
		return err
	}
	hub, err := hub.New(os.Getenv("HF_ENDPOINT"), os.Getenv("HF_TOKEN"))
	if err != nil {
		return fmt.Errorf("HF_ENDPOINT: %w", err)
	}
	path, err := c.database()
	if err != nil {
		return err
	}
	db, err := store.OpenAlone(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()

	config := server.Config{
		Store: db, Options: options, Log: log, Version: version, Addr: c.Addr, MaxUpload: int64(c.MaxUpload), Limits: c.limits(), Hub: hub, Dev: c.Dev,
	}
	if c.Demo {
		config.Notice = demoNotice
	}
	s := server.New(config)
	if c.Demo {
		if err := loadDemo(ctx, s.Ingester()); err != nil {
			return fmt.Errorf("load the sample runs: %w", err)
		}
	}
	if !static.Built() && !c.Dev {
		log.Warn("the chart library is not in this program, so charts are shown as tables; make build puts it in")
	}
	addr := listener.Addr().String()
	log.Info("serving", "addr", addr, "url", "http://"+addr, "db", path, "formats", len(decode.Formats))
	if c.Open {
		if err := openBrowser(ctx, "http://"+addr); err != nil {
			log.Warn("could not open a browser", "error", err)
		}
	}
	otlp := c.listenOTLP(ctx, log, addr)
	return s.Serve(ctx, listener, otlp)
}

// listenOTLP listens where exporters send to by default. An address that is in
// use, by a collector most likely, is no reason not to serve.
func (c *serveCommand) listenOTLP(ctx context.Context, log *slog.Logger, addr string) net.Listener {
	if c.OTLPAddr == "" {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.OTLPAddr)
	if err != nil {
		log.Warn("not listening for OTLP there; senders can use the dashboard's address", "otlp_addr", c.OTLPAddr, "error", err, "endpoint", "http://"+addr)
		return nil
	}
	log.Info("receiving OTLP", "addr", l.Addr().String(), "endpoint", "http://"+l.Addr().String())
	return l
}

// database returns the path of the database. Sample runs never get into that of
// real ones.
func (c *serveCommand) database() (string, error) {
	path := c.DB
	if path == "" {
		var err error
		if path, err = databasePath("smolscope.db"); err != nil {
			return "", err
		}
	}
	if c.Demo {
		path = filepath.Join(filepath.Dir(path), "demo.db")
	}
	return path, nil
}
