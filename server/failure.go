package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"smolscope/enrich/attr"
	"smolscope/server/store"
	"smolscope/views"
)

// A refusal is an error that says itself how it is to be answered.
type refusal struct {
	status         int
	code           string
	title, message string
}

func (r *refusal) Error() string { return r.title + ": " + r.message }

// badQuery is the answer to a parameter that makes no sense.
func badQuery(message string) *refusal {
	return &refusal{http.StatusBadRequest, "bad_query", "The address asks for something that does not exist", message}
}

// absent says what was asked for in place of the store's ErrNotFound.
func absent(err error, what, id string) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &refusal{http.StatusNotFound, "not_found", "No such " + what,
		fmt.Sprintf("There is no %s %q. Files uploaded since may have changed what it is called; the leaderboard lists all runs.", what, id)}
}

// refusalOf is the one table from errors to answers. Nil means a fault of ours,
// of which only the log learns the cause.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if q, ok := errors.AsType[*views.QueryError](err); ok {
		return badQuery(q.Error())
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{http.StatusRequestEntityTooLarge, "too_large", "The upload is too large",
			fmt.Sprintf("One upload may have %d bytes. Send fewer files at once, or start smolscope with a larger --max-upload.", tooLarge.Limit)}
	}
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch h.Code {
		case http.StatusNotFound:
			return &refusal{h.Code, "not_found", "There is no such page", "The address may be mistyped. The leaderboard lists all runs."}
		case http.StatusMethodNotAllowed:
			return &refusal{h.Code, "method_not_allowed", "This cannot be done here", "The address exists, but takes other methods."}
		}
		if h.Code < http.StatusInternalServerError {
			return &refusal{h.Code, "bad_request", http.StatusText(h.Code), fmt.Sprint(h.Message)}
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &refusal{http.StatusNotFound, "not_found", "Not found", "What was asked for is not here any more."}
	case errors.Is(err, store.ErrNoColumn):
		return badQuery(err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{http.StatusServiceUnavailable, "busy", "The server is busy", "Try again in a moment."}
	}
	return nil
}

// fail answers an error: JSON to programs, a page to people.
func (s *Server) fail(err error, c echo.Context) {
	r := refusalOf(err)
	switch {
	case c.Request().Context().Err() != nil:
		// Nobody is there to read an answer.
		s.Log.Debug("request broken off", "route", c.Path(), "error", err)
		if !c.Response().Committed {
			c.Response().Status = statusClientGone
		}
		return
	case r == nil:
		s.Log.Error("request failed", "method", c.Request().Method, "route", c.Path(), "error", err)
		r = &refusal{http.StatusInternalServerError, "internal", "Something went wrong here", "The program's log says what."}
	}
	if c.Response().Committed {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	if wantsJSON(c) {
		err = c.Blob(r.status, jsonType, r.json())
	} else {
		page := views.NewErrorPage(r.status, r.title, r.message)
		page.Back = wayBack(err)
		err = s.render(c, r.status, views.Error(page))
	}
	if err != nil {
		s.Log.Error("error was not sent", "route", c.Path(), "error", err)
	}
}

// statusClientGone is what logs call a request whose client left; it is never
// sent.
const statusClientGone = 499

func (r *refusal) json() []byte {
	b := []byte(`{"error":{"code":`)
	b = attr.AppendQuoted(b, r.code)
	b = append(b, `,"message":`...)
	b = attr.AppendQuoted(b, r.message)
	return append(b, "}}\n"...)
}

// wantsJSON reports whether an answer is read by a program: of the API and of OTLP
// always, elsewhere if it asks for JSON and not for a page.
func wantsJSON(c echo.Context) bool {
	accept := c.Request().Header.Get("Accept")
	path := c.Request().URL.Path
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/v1/") || strings.HasPrefix(c.Path(), sharePath+"/api") ||
		strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
