// Package hub reads datasets of the Hugging Face Hub over its HTTP API: which
// files a dataset has, and what is in them.
//
// The access token goes to the endpoint and to no other host, and redirects are
// followed only to hosts of the Hub.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Public is the address of the public Hub.
const Public = "https://huggingface.co"

// A Client reads from one endpoint. It must be made by New, and may be used
// concurrently.
type Client struct {
	endpoint *url.URL
	hub      *http.Client // stays with the hosts of the Hub
	anywhere *http.Client
	sleep    func(context.Context, time.Duration) error
}

// New returns a client of the Hub at an endpoint such as Public, which is what ""
// stands for. The token may be "": then only public datasets can be read.
func New(endpoint, token string) (*Client, error) {
	if endpoint == "" {
		endpoint = Public
	}
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("the Hub's address must be such as " + Public)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = stallTime
	signed := &signing{transport, u, token}
	return &Client{
		endpoint: u,
		hub:      &http.Client{Transport: signed, CheckRedirect: stayAt(u)},
		anywhere: &http.Client{Transport: signed},
		sleep:    sleep,
	}, nil
}

// signing adds the token to requests that go to the endpoint, and to no others,
// wherever redirects lead.
type signing struct {
	http.RoundTripper
	endpoint *url.URL
	token    string
}

func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.token != "" && r.URL.Scheme == s.endpoint.Scheme && r.URL.Host == s.endpoint.Host {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	return s.RoundTripper.RoundTrip(r)
}

// contentHosts are where the public Hub and its mirrors keep large files.
var contentHosts = []string{"huggingface.co", "hf.co"}

// errRedirect begins the error of a redirect that is not followed.
var errRedirect = errors.New("redirected")

// stayAt allows redirects to the host of the endpoint, to those below it and to
// the Hub's, so that no dataset can make this machine ask another one.
func stayAt(endpoint *url.URL) func(*http.Request, []*http.Request) error {
	hosts := append([]string{endpoint.Hostname()}, contentHosts...)
	return func(r *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return fmt.Errorf("%w ten times", errRedirect)
		}
		if r.URL.Scheme != "https" && r.URL.Scheme != endpoint.Scheme {
			return fmt.Errorf("%w to %s, which is not encrypted", errRedirect, r.URL.Host)
		}
		for _, host := range hosts {
			if r.URL.Hostname() == host || strings.HasSuffix(r.URL.Hostname(), "."+host) {
				return nil
			}
		}
		return fmt.Errorf("%w to %s, which is not the Hub", errRedirect, r.URL.Host)
	}
}

var datasetName = regexp.MustCompile(`^[A-Za-z0-9_][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}$`)

// Dataset returns the OWNER/NAME that a text stands for: as it is, as
// hf://datasets/OWNER/NAME, or as the address of its page.
func (c *Client) Dataset(text string) (string, error) {
	name := strings.TrimSpace(text)
	for _, prefix := range []string{"hf://datasets/", c.endpoint.String() + "/datasets/", Public + "/datasets/", "datasets/"} {
		if rest, found := strings.CutPrefix(name, prefix); found {
			name = strings.TrimSuffix(rest, "/")
			break
		}
	}
	if !datasetName.MatchString(name) || strings.Contains(name, "..") {
		return "", fmt.Errorf("%q is not the name of a dataset: want OWNER/NAME, or hf://datasets/OWNER/NAME", text)
	}
	return name, nil
}

// A File is one file of a dataset. SHA256 is "" if the Hub does not say it.
type File struct {
	Path   string
	Size   int64
	SHA256 string
}

const (
	maxFiles    = 100_000         // that a dataset may list
	maxListing  = 16 << 20        // bytes of one page of the list
	listingTime = 2 * time.Minute // for one page
)

// Files lists the files of a dataset, sorted by path. Its error is a *Error if
// the Hub refuses.
func (c *Client) Files(ctx context.Context, dataset string) ([]File, error) {
	next := c.endpoint.JoinPath("api", "datasets", dataset, "tree", "main")
	next.RawQuery = "recursive=true"
	var list []File
	for next != nil {
		files, following, err := c.page(ctx, "dataset "+dataset, next)
		if err != nil {
			return nil, err
		}
		if list = append(list, files...); len(list) > maxFiles {
			return nil, fmt.Errorf("dataset %s: more than %d files", dataset, maxFiles)
		}
		next = following
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// page reads one page of a list of files, and returns the address of the next,
// nil of the last.
func (c *Client) page(ctx context.Context, what string, address *url.URL) (list []File, next *url.URL, err error) {
	ctx, cancel := context.WithTimeout(ctx, listingTime)
	defer cancel()
	response, err := c.get(ctx, c.hub, what, address, nil)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	var entries []struct {
		Type string
		Path string
		Size int64
		LFS  *struct{ OID string }
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxListing)).Decode(&entries); err != nil {
		return nil, nil, fmt.Errorf("%s: the list of its files makes no sense: %w", what, err)
	}
	for _, e := range entries {
		if e.Type != "file" {
			continue
		}
		f := File{Path: e.Path, Size: e.Size}
		if e.LFS != nil && len(e.LFS.OID) == 64 {
			f.SHA256 = strings.ToLower(e.LFS.OID)
		}
		list = append(list, f)
	}
	found := nextLink.FindStringSubmatch(strings.Join(response.Header.Values("Link"), ", "))
	if found == nil {
		return list, nil, nil
	}
	next, err = address.Parse(found[1])
	if err != nil || next.Scheme != c.endpoint.Scheme || next.Host != c.endpoint.Host {
		return nil, nil, fmt.Errorf("%s: the list of its files goes on at another host", what)
	}
	if len(entries) == 0 {
		return nil, nil, fmt.Errorf("%s: the list of its files does not end", what)
	}
	return list, next, nil
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// Open returns the bytes of a file of a dataset. Reading goes on where it was
// when a connection breaks off, and fails if the bytes are not those that Files
// named.
func (c *Client) Open(ctx context.Context, dataset string, f File) (io.ReadCloser, error) {
	address := c.endpoint.JoinPath("datasets", dataset, "resolve", "main")
	address = address.JoinPath(strings.Split(url.PathEscape(f.Path), "%2F")...)
	d := &download{client: c, http: c.hub, ctx: ctx, what: "dataset " + dataset + ": " + f.Path, address: address, size: f.Size, sha256: f.SHA256}
	return d.open()
}

// Fetch returns the bytes at any address of the web, and how many they are, -1 if
// that is not known.
func (c *Client) Fetch(ctx context.Context, address string) (io.ReadCloser, int64, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, 0, errors.New("this is no address of the web")
	}
	d := &download{client: c, http: c.anywhere, ctx: ctx, what: u.Redacted(), address: u, size: -1}
	body, err := d.open()
	return body, d.size, err
}
