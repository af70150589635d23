package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"smolscope/enrich/decode"
	"smolscope/server"
	"smolscope/server/hub"
	"smolscope/server/store"
	"smolscope/static"
)

type serveCommand struct {
	Addr      string   `default:"127.0.0.1:8080" help:"Address to listen on; port 0 is any that is free."`
	OTLPAddr  string   `name:"otlp-addr" default:"127.0.0.1:4318" help:"Address that senders of OTLP over HTTP find by default; empty for none. They may also use the address of the dashboard."`
	DB        string   `name:"db" placeholder:"PATH" help:"Database file, made where there is none. By default smolscope.db in your data folder."`
	TokenFile string   `placeholder:"FILE" help:"File with the access token that whoever uses the dashboard must show; SMOLSCOPE_TOKEN can hold it instead. Without one, only this machine is served."`
	TLSCert   string   `name:"tls-cert" placeholder:"FILE" help:"Certificate to serve HTTPS with, and those that it was signed by."`
	TLSKey    string   `name:"tls-key" placeholder:"FILE" help:"Private key of the certificate."`
	AllowHost []string `placeholder:"NAME" help:"Name that the dashboard may also be asked for by, such as a proxy's; may be repeated."`
	MaxUpload size     `default:"1GiB" help:"Most bytes that one upload may have."`
	enrichFlags
	limitFlags
	gpuFlags
	Open bool `help:"Open the dashboard in the browser."`
	Demo bool `help:"Serve sample runs, which were made up, from demo.db beside the database."`
	Dev  bool `hidden:"" help:"Serve static files from the folder static, as they are now."`
}

// Help is the long help text.
func (serveCommand) Help() string {
	return `The dashboard is for this machine alone unless it has an access token, of 16 characters or
more, in --token-file or SMOLSCOPE_TOKEN: addresses that others can reach are refused without one.

Example: a dashboard with a database of the project's own

  smolscope serve --addr 127.0.0.1:9000 --db evaluations.db`
}

// Validate is called by kong once the flags are read.
func (c *serveCommand) Validate() error {
	token, err := c.token()
	if err != nil {
		return err
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key: want both or neither")
	}
	if err := reachable("--addr", c.Addr, "127.0.0.1:8080", token); err != nil {
		return err
	}
	if c.OTLPAddr != "" {
		if err := reachable("--otlp-addr", c.OTLPAddr, "127.0.0.1:4318", token); err != nil {
			return err
		}
	}
	return cmp.Or(c.enrichFlags.validate(), c.limitFlags.validate())
}

// token returns the access token, "" for none.
func (c *serveCommand) token() (string, error) {
	token := os.Getenv("SMOLSCOPE_TOKEN") // not a flag: everyone on a machine can read those
	from := "SMOLSCOPE_TOKEN"
	if c.TokenFile != "" {
		text, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		token, from = strings.TrimSpace(string(text)), "--token-file "+c.TokenFile
	}
	if (token != "" || c.TokenFile != "") && len(token) < server.MinToken {
		return "", fmt.Errorf("%s: a token of %d characters can be guessed; want %d or more, such as openssl rand -hex 24 prints", from, len(token), server.MinToken)
	}
	return token, nil
}

// reachable refuses an address that others can reach, unless there is a token.
func reachable(flag, addr, example, token string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s %s: want a host and a port, such as %s", flag, addr, example)
	}
	if ip, err := netip.ParseAddr(host); token == "" && host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s %s: others could read and change everything there; give it an access token of %d characters or more "+
			"in --token-file or SMOLSCOPE_TOKEN, or listen on 127.0.0.1", flag, addr, server.MinToken)
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

	token, err := c.token()
	if err != nil {
		return err
	}
	encrypted, scheme, err := c.encryption()
	if err != nil {
		return err
	}
	listener = encrypted(listener)
	options, err := c.options()
	if err != nil {
		return err
	}
	gpus, err := c.gpus()
	if err != nil {
		return err
	}
	defer gpus.Source.Close()
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
		GPU: gpus, Token: token, TLS: c.TLSCert != "", Hosts: c.AllowHost,
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
	log.Info("serving", "addr", addr, "url", scheme+addr, "db", path, "formats", len(decode.Formats))
	if c.Open {
		if err := openBrowser(ctx, scheme+addr); err != nil {
			log.Warn("could not open a browser", "error", err)
		}
	}
	otlp := c.listenOTLP(ctx, log, scheme+addr)
	if otlp != nil {
		otlp = encrypted(otlp)
	}
	return s.Serve(ctx, listener, otlp)
}

// encryption returns what a listener becomes, which is itself without a
// certificate, and how addresses there begin.
func (c *serveCommand) encryption() (of func(net.Listener) net.Listener, scheme string, err error) {
	if c.TLSCert == "" {
		return func(l net.Listener) net.Listener { return l }, "http://", nil
	}
	certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, "", fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	return func(l net.Listener) net.Listener { return tls.NewListener(l, config) }, "https://", nil
}

// listenOTLP listens where exporters send to by default. An address that is in
// use, by a collector most likely, is no reason not to serve.
func (c *serveCommand) listenOTLP(ctx context.Context, log *slog.Logger, dashboard string) net.Listener {
	if c.OTLPAddr == "" {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.OTLPAddr)
	if err != nil {
		log.Warn("not listening for OTLP there; senders can use the dashboard's address", "otlp_addr", c.OTLPAddr, "error", err, "endpoint", dashboard)
		return nil
	}
	log.Info("receiving OTLP", "addr", l.Addr().String(), "endpoint", dashboard[:strings.Index(dashboard, "://")]+"://"+l.Addr().String())
	return l
}

// database returns the path of the database. Sample runs never get into that of
// real ones.
func (c *serveCommand) database() (string, error) {
	path, err := databaseAt(c.DB)
	if err != nil {
		return "", err
	}
	if c.Demo {
		path = filepath.Join(filepath.Dir(path), "demo.db")
	}
	return path, nil
}
