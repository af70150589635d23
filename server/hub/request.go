package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An Error is an answer that is a refusal.
type Error struct {
	What   string // such as "dataset OWNER/NAME"
	Status int
	Wait   time.Duration // that the server asks for before it is tried again, 0 if it says nothing
}

func (e *Error) Error() string {
	dataset := strings.HasPrefix(e.What, "dataset ")
	switch {
	case e.Status == http.StatusUnauthorized && dataset:
		return e.What + ": there is none, or it is private: check the name, or set HF_TOKEN to a token that may read it"
	case e.Status == http.StatusForbidden && dataset:
		return e.What + ": access was refused: it is gated or private, and HF_TOKEN must hold a token that may read it"
	case e.Status == http.StatusNotFound:
		return e.What + ": there is none"
	case e.Status == http.StatusTooManyRequests && e.Wait > 0:
		return fmt.Sprintf("%s: too many requests: try again in %s", e.What, e.Wait)
	case e.Status == http.StatusTooManyRequests:
		return e.What + ": too many requests: try again later"
	}
	return fmt.Sprintf("%s: the server answered %d %s", e.What, e.Status, http.StatusText(e.Status))
}

// passing reports whether it may help to ask again.
func (e *Error) passing() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

const (
	tries       = 5                // of one request, and of going on with a download that does not get further
	longestWait = time.Minute      // before asking again; who is asked to wait longer gives up
	stallTime   = 30 * time.Second // without a byte, after which a connection counts as broken
)

// get asks for an address until there is an answer, a few times.
func (c *Client) get(ctx context.Context, client *http.Client, what string, address *url.URL, header http.Header) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := c.getOnce(ctx, client, what, address, header)
		if err == nil {
			return response, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		refused, isRefusal := errors.AsType[*Error](err)
		wait := pause(try)
		if isRefusal {
			wait = cmp.Or(refused.Wait, wait)
		}
		lookup, isLookup := errors.AsType[*net.DNSError](err)
		final := isRefusal && !refused.passing() || isLookup && lookup.IsNotFound || errors.Is(err, errRedirect)
		if final || try == tries || wait > longestWait {
			return nil, err
		}
		if err := c.sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *Client) getOnce(ctx context.Context, client *http.Client, what string, address *url.URL, header http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	maps.Copy(r.Header, header)
	r.Header.Set("User-Agent", "smolscope")
	response, err := client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the address, whose query may open the file
		}
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	io.CopyN(io.Discard, response.Body, 64<<10)
	response.Body.Close()
	return nil, &Error{What: what, Status: response.StatusCode, Wait: waitOf(response.Header, time.Now())}
}

// pause is how long to wait after a number of failures in turn.
func pause(failures int) time.Duration { return time.Second << min(failures-1, 4) }

var untilReset = regexp.MustCompile(`(?:^|[;,\s])t=(\d{1,9})`)

// waitOf returns how long an answer asks to wait: by Retry-After, in seconds or
// as a date, or by the Hub's RateLimit, such as `"api";r=0;t=12`.
func waitOf(h http.Header, now time.Time) time.Duration {
	after := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(after, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(after); err == nil {
		return max(at.Sub(now), 0).Round(time.Second)
	}
	if found := untilReset.FindStringSubmatch(h.Get("RateLimit")); found != nil {
		seconds, _ := strconv.Atoi(found[1])
		return time.Duration(seconds) * time.Second
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
