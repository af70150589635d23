// Package server serves the dashboard: its pages, its API, and the uploads that
// fill it. Handlers read the request, ask the store, build the page and return
// an error or what to send; how either is sent is in one place each.
package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/hub"
	"smolscope/server/store"
	"smolscope/static"
	"smolscope/views"
)

// A Config says what to serve and how.
type Config struct {
	Store     *store.Store
	Options   enrich.Options // that runs are derived with
	Limits    decode.Limits  // of the files they are derived from
	Log       *slog.Logger   // of requests and faults, without what they held
	Version   string
	Addr      string      // host:port that is listened on; its host may be asked for, besides loopback
	MaxUpload int64       // most bytes of one request
	Token     string      // that whoever uses the dashboard must show, "" for none
	TLS       bool        // it is served over TLS
	Hosts     []string    // names that may be asked for besides, as behind a proxy
	Notice    string      // one sentence on top of every page, "" for none
	Hub       *hub.Client // that datasets are imported from, nil for the public one
	GPU       GPUConfig   // the GPUs that are read
	Dev       bool        // serve static files from the folder static, as they are now
}

// A Server answers requests. It must be made by New.
type Server struct {
	Config
	ingester *Ingester
	monitor  *monitor
	settings *views.PreviewSettings
	echo     *echo.Echo
	hosts    hosts
	access   *access
	origins  *http.CrossOriginProtection
	visits   visits
	ending   chan struct{} // closed when streams are to end
}

// New returns a server. It does not listen yet.
func New(c Config) *Server {
	s := &Server{
		Config:   c,
		ingester: NewIngester(c.Store, c.Log, c.Options, c.Limits),
		settings: settingsOf(c),
		echo:     echo.New(),
		hosts:    hostsOf(c.Addr, c.Hosts...),
		access:   newAccess(c.Token),
		origins:  http.NewCrossOriginProtection(),
		ending:   make(chan struct{}),
	}
	s.monitor = newMonitor(c.GPU, c.Store, c.Log, func() { s.ingester.changed.publish(nil) })
	if s.Hub == nil {
		s.Hub, _ = hub.New(hub.Public, "")
	}
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.fail
	e.Use(s.logged, s.recovered, s.secured, s.admitted, middleware.GzipWithConfig(middleware.GzipConfig{
		MinLength: 1024,
		Skipper:   func(c echo.Context) bool { return c.Path() == staticPath || c.Path() == eventsPath },
	}))
	for _, r := range s.withShares(s.routes()) {
		e.Add(r.method, r.path, r.handler)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, r.handler)
		}
	}
	return s
}

const (
	staticPath = "/static/*"
	eventsPath = "/gpu/events" // one stream a browser, for all that changes
)

type route struct {
	method, path string
	handler      echo.HandlerFunc
}

// routes lists all that is answered, but for shares; see withShares. HEAD is where GET is.
func (s *Server) routes() []route {
	return []route{
		{"GET", "/", s.page(s.leaderboard)},
		{"GET", "/runs/:run", s.page(s.run)},
		{"GET", "/runs/:run/tests/:test", s.page(s.test)},
		{"GET", "/runs/:run/traces/:trace", s.page(s.trace)},
		{"GET", "/upload", s.page(s.uploadForm)},
		{"GET", "/compare", s.page(s.compare)},
		{"GET", "/preview", s.page(s.preview)},
		{"GET", "/runs/:run/shares", s.page(s.shares)},
		{"POST", "/runs/:run/shares", s.addShare},
		{"POST", "/runs/:run/shares/revoke", s.removeShare},
		{"POST", "/runs/:run/gpu", s.takeReadings},
		{"POST", "/upload", s.upload},
		{"POST", "/upload/undo", s.undo},
		{"POST", "/import", s.importDataset},

		{"GET", "/api/v1/compare", s.data(s.apiCompare)},
		{"GET", "/api/v1/runs", s.data(s.apiRuns)},
		{"GET", "/api/v1/runs/:run", s.data(s.apiRun)},
		{"GET", "/api/v1/runs/:run/results.:format", s.data(s.apiResults)},
		{"GET", "/api/v1/runs/:run/traces.:format", s.data(s.apiTraces)},
		{"GET", "/api/v1/runs/:run/metrics.:format", s.data(s.apiMetrics)},
		{"GET", "/api/v1/runs/:run/leaderboard.:format", s.data(s.apiLeaderboard)},
		{"GET", "/api/v1/runs/:run/traces/:trace/spans", s.data(s.apiSpans)},
		{"GET", "/api/v1/runs/:run/traces/:trace/spans/:span", s.data(s.apiSpan)},

		{"POST", "/api/v1/runs/:run/shares", s.apiShare},
		{"DELETE", "/api/v1/shares/:token", s.apiUnshare},

		{"POST", "/v1/traces", s.otlpTraces},
		{"POST", "/v1/metrics", s.otlpMetrics},
		{"GET", "/gpu", s.page(s.gpus)},
		{"GET", "/gpu/readings.otlp.json", s.data(s.gpuReadings)},
		{"GET", eventsPath, s.events},

		{"GET", loginPath, s.login},
		{"POST", loginPath, s.logIn},
		{"POST", logoutPath, s.logOut},
		{"GET", "/healthz", s.healthz},
		{"GET", "/readyz", s.readyz},
		{"GET", "/metrics", s.metrics()},
		{"GET", staticPath, echo.WrapHandler(http.StripPrefix("/static/", static.Handler(s.staticFiles())))},
	}
}

func (s *Server) staticFiles() fs.FS {
	if s.Dev {
		return os.DirFS("static")
	}
	return static.FS
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Ingester returns what takes the uploads of this server.
func (s *Server) Ingester() *Ingester { return s.ingester }

// shutdownTime is how long requests may take to end once ctx is done.
const shutdownTime = 10 * time.Second

// Serve answers requests until ctx is done, and then those that have begun. On
// otlp, which may be nil, it answers senders of OTLP alone. It also derives runs
// again if the store is stale, and those that are being received.
func (s *Server) Serve(ctx context.Context, l, otlp net.Listener) error {
	servers := map[*http.Server]net.Listener{s.httpServer(s): l}
	if otlp != nil {
		servers[s.httpServer(http.HandlerFunc(s.serveOTLP))] = otlp
	}
	derived := make(chan struct{})
	deriving, stop := context.WithCancel(ctx)
	go func() {
		defer close(derived)
		if err := s.ingester.Rederive(deriving); err != nil && deriving.Err() == nil {
			s.Log.Error("could not derive runs again", "error", err)
		}
		if err := s.ingester.Follow(deriving); err != nil && deriving.Err() == nil {
			s.Log.Error("could not follow what is received", "error", err)
		}
	}()
	defer func() { stop(); <-derived }()
	counted := make(chan struct{})
	go func() { defer close(counted); s.countVisits(deriving) }()
	defer func() { stop(); <-counted }()

	monitored := make(chan struct{})
	go func() { defer close(monitored); s.monitor.run(deriving) }()
	defer func() { stop(); <-monitored }()

	served := make(chan error, len(servers))
	for h, l := range servers {
		go func() { served <- h.Serve(l) }()
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	close(s.ending)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	var errs []error
	for h := range servers {
		err := h.Shutdown(ending)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	// No time limit on reading or writing as a whole: uploads may be long.
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
}

// serveOTLP answers one request at the address that is for senders of OTLP.
func (s *Server) serveOTLP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/healthz" {
		s.ServeHTTP(w, r)
		return
	}
	http.Error(w, "This address takes OTLP over HTTP at /v1/traces and /v1/metrics. The dashboard is at http://"+s.Addr, http.StatusNotFound)
}
