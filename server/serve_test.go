package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// TestServeEndsWhatHasBegun uploads a file while the server is told to end.
func TestServeEndsWhatHasBegun(t *testing.T) {
	s := newServer(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener, nil) }()

	id, files := sample(40)
	whole, contentType := form(files...)
	body, more := io.Pipe()
	answers := make(chan *http.Response, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+listener.Addr().String()+"/upload", body)
		if err != nil {
			t.Error(err)
		}
		r.Header.Set("Content-Type", contentType)
		// The client sends nothing before the server has asked for the body.
		r.Header.Set("Expect", "100-continue")
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
		answer, err := client.Do(r)
		if err != nil {
			t.Error(err)
		}
		answers <- answer
	}()
	if _, err := io.CopyN(more, whole, 1000); err != nil {
		t.Fatal(err)
	}
	end()
	if _, err := io.Copy(more, whole); err != nil {
		t.Fatal(err)
	}
	more.Close()
	answer := <-answers
	if answer == nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("upload: status %d, want 200", answer.StatusCode)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the server listens after Serve returned")
	}
	if ids := runIDs(t, s); len(ids) != 1 || ids[0] != id {
		t.Errorf("runs = %v, want %s", ids, id)
	}
}

func TestFaults(t *testing.T) {
	s := newServer(t)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	s.echo.GET("/fault", func(echo.Context) error { return errors.New("the cause") })
	s.echo.GET("/api/fault", func(echo.Context) error { panic("the cause") })
	s.echo.GET("/page", s.page(nil))
	s.echo.GET("/slow", func(echo.Context) error { return fmt.Errorf("query: %w", context.DeadlineExceeded) })
	for _, tt := range []struct {
		path   string
		status int
		says   string
	}{
		{"/fault", http.StatusInternalServerError, "Something went wrong here"},
		{"/api/fault", http.StatusInternalServerError, `{"error":{"code":"internal"`},
		{"/page", http.StatusInternalServerError, "Something went wrong here"},
		{"/slow", http.StatusServiceUnavailable, "The server is busy"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			log.Reset()
			w := do(s, "GET", tt.path, nil)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("status %d, want %d and %q:\n%.500s", w.Code, tt.status, tt.says, w.Body)
			}
			if strings.Contains(w.Body.String(), "the cause") {
				t.Error("the answer tells the cause")
			}
			if tt.path != "/slow" && tt.path != "/page" && !strings.Contains(log.String(), "the cause") {
				t.Errorf("the log does not tell the cause: %s", &log)
			}
		})
	}
	t.Run("client left", func(t *testing.T) {
		log.Reset()
		ctx, leave := context.WithCancel(t.Context())
		leave()
		r, err := http.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:8080/", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.ServeHTTP(discard{}, r)
		if log.Len() > 0 {
			t.Errorf("log = %s, want nothing of a client that left", &log)
		}
	})
}

// TestHalfAnAnswer proves that an answer that fails on the way is broken off.
func TestHalfAnAnswer(t *testing.T) {
	s := newServer(t)
	s.echo.GET("/half", func(c echo.Context) error {
		if err := c.String(http.StatusOK, "half"); err != nil {
			return err
		}
		return errors.New("the rest is lost")
	})
	defer func() {
		if recovered := recover(); recovered != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler", recovered)
		}
	}()
	do(s, "GET", "/half", nil)
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
