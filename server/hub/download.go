package hub

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errChanged is the error of a file that is not, or no longer, the one that was
// asked for.
var errChanged = errors.New("it changed while it was read: start again")

// A download reads the bytes at an address over as many connections as that
// takes.
type download struct {
	client  *Client
	http    *http.Client
	ctx     context.Context
	what    string
	address *url.URL
	size    int64  // -1 until it is known
	sha256  string // "" if it is not known

	body     io.ReadCloser // nil between connections
	alive    context.Context
	stop     context.CancelCauseFunc
	stalled  *time.Timer
	tag      string // ETag of the first answer
	at       int64
	sum      hash.Hash
	failures int // since the last byte
}

// open connects, so that a refusal is said before anything is read.
func (d *download) open() (io.ReadCloser, error) {
	d.sum = sha256.New()
	if err := d.connect(); err != nil {
		return nil, err
	}
	return d, nil
}

// Read goes on after a connection that broke off.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.body == nil {
			if err := d.connect(); err != nil {
				return 0, err
			}
		}
		d.stalled.Reset(stallTime)
		n, err := d.body.Read(p)
		d.stalled.Stop()
		if n > 0 {
			d.at += int64(n)
			d.sum.Write(p[:n])
			d.failures = 0
			return n, nil
		}
		switch {
		case err == nil:
			return 0, nil
		case d.ctx.Err() != nil:
			return 0, context.Cause(d.ctx)
		case err == io.EOF && (d.size < 0 || d.at >= d.size):
			return 0, d.verified()
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
		err = cmp.Or(context.Cause(d.alive), err)
		d.disconnect()
		if d.failures++; d.failures == tries {
			return 0, fmt.Errorf("%s: broke off after %d bytes: %w", d.what, d.at, err)
		}
		if err := d.client.sleep(d.ctx, pause(d.failures)); err != nil {
			return 0, err
		}
	}
}

// verified returns io.EOF if the bytes are those that were expected.
func (d *download) verified() error {
	if d.size >= 0 && d.at != d.size || d.sha256 != "" && hex.EncodeToString(d.sum.Sum(nil)) != d.sha256 {
		return fmt.Errorf("%s: %w", d.what, errChanged)
	}
	return io.EOF
}

// connect asks for what is not read yet.
func (d *download) connect() error {
	// Lengths and places are those of the bytes themselves.
	header := http.Header{"Accept-Encoding": {"identity"}}
	if d.at > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.at))
		if d.tag != "" && !strings.HasPrefix(d.tag, "W/") {
			header.Set("If-Range", d.tag)
		}
	}
	alive, stop := context.WithCancelCause(d.ctx)
	response, err := d.client.get(alive, d.http, d.what, d.address, header)
	if err != nil {
		stop(nil)
		return err
	}
	d.body, d.alive, d.stop = response.Body, alive, stop
	d.stalled = time.AfterFunc(stallTime, func() { stop(errors.New("no bytes arrived")) })
	d.stalled.Stop()
	if err := d.resume(response); err != nil {
		d.disconnect()
		return fmt.Errorf("%s: %w", d.what, err)
	}
	return nil
}

// resume brings the body of an answer to the place where reading goes on.
func (d *download) resume(response *http.Response) error {
	tag := response.Header.Get("ETag")
	if d.at == 0 {
		if d.size >= 0 && response.ContentLength >= 0 && response.ContentLength != d.size {
			return errChanged
		}
		d.size = max(d.size, response.ContentLength)
		d.tag = cmp.Or(d.tag, tag)
		return nil
	}
	// Another host of the same file may tag it otherwise; its sum tells then.
	if tag != d.tag && tag != "" && d.tag != "" && d.sha256 == "" {
		return errChanged
	}
	if response.StatusCode == http.StatusPartialContent {
		var from int64
		if _, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != d.at {
			return errors.New("another part came than was asked for")
		}
		return nil
	}
	d.stalled.Reset(stallTime)
	defer d.stalled.Stop()
	_, err := io.CopyN(io.Discard, d.body, d.at)
	return err
}

func (d *download) disconnect() {
	if d.body != nil {
		d.stalled.Stop()
		d.stop(nil)
		d.body.Close()
		d.body = nil
	}
}

// Close ends the download.
func (d *download) Close() error {
	d.disconnect()
	return nil
}
