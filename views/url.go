package views

import "net/url"

// RunURL returns the path of a run's page. Every id is one percent-encoded
// segment of a path, since any byte may occur in it (contract: ids in paths).
func RunURL(runID string) string { return "/runs/" + url.PathEscape(runID) }

// TestURL returns the path of a test's page, given its case id.
func TestURL(runID, caseID string) string {
	return RunURL(runID) + "/tests/" + url.PathEscape(caseID)
}

// TraceURL returns the path of a trace's page.
func TraceURL(runID, traceID string) string {
	return RunURL(runID) + "/traces/" + url.PathEscape(traceID)
}

// SpanURL returns the address of a trace's page with one span selected.
func SpanURL(runID, traceID, spanID string) string {
	return TraceURL(runID, traceID) + "?span=" + url.QueryEscape(spanID)
}

// apiURL returns where the API answers for the thing that a page shows.
func apiURL(page string) string { return "/api/v1" + page }

// address joins a path and a query, leaving out empty values.
func address(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// SharesURL returns the path of the page of the links to a run.
func SharesURL(runID string) string { return RunURL(runID) + "/shares" }

// ShareURL returns the path that a link leads to, given its token.
func ShareURL(token string) string { return "/s/" + url.PathEscape(token) }
