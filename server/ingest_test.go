package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/store"
)

// datasets returns everything the API says about a run but its files.
func datasets(t *testing.T, s *Server, id string) string {
	t.Helper()
	var document struct{ Runs json.RawMessage }
	if err := json.Unmarshal(get(t, s, "/api/v1/runs/"+id).Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	return string(document.Runs)
}

func runIDs(t *testing.T, s *Server) []string {
	t.Helper()
	var list struct {
		Runs []struct {
			RunID string `json:"run_id"`
		}
		Total int
	}
	if err := json.Unmarshal(get(t, s, "/api/v1/runs?sort=run_id").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range list.Runs {
		ids = append(ids, r.RunID)
	}
	if list.Total != len(ids) {
		t.Errorf("total = %d of %d runs", list.Total, len(ids))
	}
	return ids
}

func TestUploadInAnyOrder(t *testing.T) {
	id, files := sample(7)
	together := newServer(t)
	receipt, status := post(t, together, files...)
	if status != http.StatusOK || len(receipt.Runs) != 1 || receipt.Runs[0].RunID != id || !receipt.Runs[0].New || receipt.Runs[0].Tests != 4 {
		t.Fatalf("upload: status %d, receipt %+v", status, receipt)
	}
	want := datasets(t, together, id)

	apart := newServer(t)
	for _, f := range slices.Backward(files) {
		if _, status := post(t, apart, f); status != http.StatusOK {
			t.Fatalf("upload of %s: status %d", f.name, status)
		}
	}
	if diff := cmp.Diff([]string{id}, runIDs(t, apart)); diff != "" {
		t.Fatalf("runs of files that came apart (-want +got):\n%s", diff)
	}
	if got := datasets(t, apart, id); got != want {
		t.Errorf("files that came apart make another run:\n%s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

func TestUploadAgain(t *testing.T) {
	s := newServer(t)
	id, files := sample(8)
	post(t, s, files...)
	before := datasets(t, s, id)
	receipt, status := post(t, s, append(files, file{"copy.json", files[0].text})...)
	if status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	if len(receipt.Runs) != 1 || receipt.Runs[0].New {
		t.Errorf("runs = %+v, want the one run, not new", receipt.Runs)
	}
	for _, f := range receipt.Files {
		if !slices.ContainsFunc(f.Repairs, func(r string) bool { return strings.Contains(r, "nothing was changed") }) {
			t.Errorf("receipt of %s does not say that nothing was changed: %q", f.Name, f.Repairs)
		}
	}
	if got := datasets(t, s, id); got != before {
		t.Error("uploading the same files again changed the run")
	}
}

func TestUploadTwiceAtOnce(t *testing.T) {
	s := newServer(t)
	_, files := sample(9)
	receipt, _ := post(t, s, append(files, file{"copy.json", files[1].text})...)
	said := 0
	for _, f := range receipt.Files {
		if slices.ContainsFunc(f.Repairs, func(r string) bool { return strings.Contains(r, "count once") }) {
			said++
		}
	}
	if said != 1 || len(receipt.Runs) != 1 {
		t.Errorf("receipt = %+v, want one copy named and one run", receipt)
	}
}

func TestUploadKeepsGoodFiles(t *testing.T) {
	s := newServer(t)
	id, files := sample(10)
	var traces string
	for _, f := range files {
		if strings.HasSuffix(f.name, "traces.json") {
			traces = f.text
		}
	}
	line := `{"test_id":"a","agent_type":"tool","success":true,"model":"m","run_id":"lines","evaluation_date":"2025-10-22T15:30:00+00:00"}`
	lines := strings.Repeat(line+"\n", 6) + "{\"test_id\": oops}\n" + line + "\n"
	bad := []file{
		{"unknown.txt", "hello, world"},
		{"unknown.json", `[{"name":"x","value":1}]`},
		{"empty", ""},
		{"binary.bin", "\x89PNG\r\n\x1a\n\x00\x01"},
		{"truncated.json", traces[:len(traces)/2]},
		{"lines.jsonl", lines},
		{"nothing.json", "[]"},
	}
	receipt, status := post(t, s, append(bad, files...)...)
	if status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	if !slices.Contains(runIDs(t, s), id) {
		t.Errorf("runs = %v, want the good files' %s among them", runIDs(t, s), id)
	}
	said := map[string]string{}
	for _, f := range receipt.Files {
		if f.Error != nil {
			said[f.Name] = *f.Error
		}
		for _, w := range f.Warnings {
			said[f.Name] += " " + w.Where + ": " + w.Message
		}
	}
	for name, want := range map[string]string{
		"unknown.txt":    `text that begins "hello, world"; known: smoltrace-results`,
		"unknown.json":   "object with keys name, value; known: smoltrace-results",
		"empty":          "empty file (0 bytes), expected one of smoltrace-results",
		"binary.bin":     "binary data; known: smoltrace-results",
		"truncated.json": "breaks off inside row 2",
		"lines.jsonl":    "line 7: expected",
		"nothing.json":   "empty list",
	} {
		if !strings.Contains(said[name], want) {
			t.Errorf("receipt of %s says %q, want %q in it", name, said[name], want)
		}
	}
	for _, f := range files {
		if said[f.name] != "" {
			t.Errorf("receipt of the good %s says %q", f.name, said[f.name])
		}
	}
}

func TestUploadOfNothingGood(t *testing.T) {
	for name, files := range map[string][]file{
		"unknown":    {{"x.txt", "hello"}},
		"zero bytes": {{"x.json", ""}},
		"no file":    nil,
		"no name":    {{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			receipt, status := post(t, s, files...)
			if status != http.StatusUnprocessableEntity || len(receipt.Runs) > 0 {
				t.Errorf("status %d, runs %v, want 422 and none", status, receipt.Runs)
			}
			err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
				uploads, err := v.Uploads(t.Context())
				if len(uploads) > 0 {
					t.Errorf("stored %v, want nothing", uploads)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			body, contentType := form(files...)
			w := do(s, "POST", "/upload", body, "Content-Type", contentType)
			if w.Code != http.StatusUnprocessableEntity {
				t.Errorf("page: status %d, want 422", w.Code)
			}
			checkPage(t, parse(t, w))
		})
	}
}

func TestUploadThatBreaksOff(t *testing.T) {
	_, files := sample(11)
	whole, contentType := form(files...)
	for name, tt := range map[string]struct {
		limit  int64
		body   io.Reader
		status int
	}{
		"too large": {int64(whole.Len()) - 1, bytes.NewReader(whole.Bytes()), http.StatusRequestEntityTooLarge},
		"cut short": {1 << 30, bytes.NewReader(whole.Bytes()[:whole.Len()*2/3]), http.StatusBadRequest},
		"failing":   {1 << 30, io.MultiReader(bytes.NewReader(whole.Bytes()[:whole.Len()*2/3]), failing{}), http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.MaxUpload = tt.limit
			w := do(s, "POST", "/upload", tt.body, "Content-Type", contentType, "Accept", "application/json")
			if w.Code != tt.status || !strings.Contains(w.Body.String(), `{"error":{"code":"`) {
				t.Errorf("status %d, want %d\n%s", w.Code, tt.status, w.Body)
			}
			if ids := runIDs(t, s); len(ids) > 0 {
				t.Errorf("runs = %v, want nothing of an upload that is not whole", ids)
			}
		})
	}
}

func TestUploadInAnotherField(t *testing.T) {
	s := newServer(t)
	body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"results.json\"\r\n\r\n[]\r\n--b--\r\n"
	w := do(s, "POST", "/upload", strings.NewReader(body), "Content-Type", "multipart/form-data; boundary=b", "Accept", "application/json")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `in \"file\"`) {
		t.Errorf("status %d, want 400 and the field's name\n%s", w.Code, w.Body)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func TestUploadAsPage(t *testing.T) {
	s := newServer(t)
	id, files := sample(12)
	body, contentType := form(files...)
	w := do(s, "POST", "/upload", body, "Content-Type", contentType, "Accept", "text/html,application/xhtml+xml")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d, want 200", w.Code)
	}
	page := parse(t, w)
	checkPage(t, page)
	if links := elements(page, "a", "href", "/runs/"+id); len(links) == 0 {
		t.Error("the receipt does not lead to the run")
	}
	for _, f := range files {
		if !strings.Contains(text(page), f.name) {
			t.Errorf("the receipt does not name %s", f.name)
		}
	}
}

func TestFolders(t *testing.T) {
	for _, tt := range []struct{ name, wantName, wantFolder string }{
		{"results.json", "results.json", ""},
		{"run/results.json", "run/results.json", "run"},
		{"a/b/results.json", "a/b/results.json", "a/b"},
		{`a\b\results.json`, "a/b/results.json", "a/b"},
		{"/run/results.json", "run/results.json", "run"},
		{"../../run/results.json", "run/results.json", "run"},
		{"./run//results.json", "run/results.json", "run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spool, err := newSpool()
			if err != nil {
				t.Fatal(err)
			}
			defer spool.close()
			list, err := take(newReader(decode.Limits{}), spool, NamedReader{tt.name, strings.NewReader(`[{"test_id":"a","success":true,"agent_type":"tool","prompt":"p"}]`)})
			if err != nil || len(list) != 1 {
				t.Fatalf("take = %d files, error %v", len(list), err)
			}
			got := list[0]
			if got.receipt.Name != tt.wantName || got.folder != tt.wantFolder {
				t.Errorf("take = %q in %q, want %q in %q", got.receipt.Name, got.folder, tt.wantName, tt.wantFolder)
			}
			if got.part == nil {
				t.Error("take gives no part")
			}
		})
	}
}

// TestFormKeepsFolders proves that the handler sees the folder that browsers
// send with a file, which Part.FileName would drop.
func TestFormKeepsFolders(t *testing.T) {
	s := newServer(t)
	receipt, _ := post(t, s, file{"some run/results é.json", "x"})
	if len(receipt.Files) != 1 || receipt.Files[0].Name != "some run/results é.json" {
		t.Errorf("files = %+v", receipt.Files)
	}
}

// TestTwoSummariesOfOneRun uploads files that name no run and describe the same
// one, or nothing that could tell one from another.
func TestTwoSummariesOfOneRun(t *testing.T) {
	row := `{"model":"m","agent_type":"tool","total_tests":4,"total_tokens":%s,"success_rate":50,"timestamp":"2026-03-02T09:00:13.152158"}`
	metrics := `{"run_id":null,"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.gpu.power","unit":"W","gauge":{"dataPoints":[{"timeUnixNano":"1761146400000000000","asDouble":%s}]}}]}]}]}`
	for name, form := range map[string]string{"leaderboard rows": row, "metrics": metrics} {
		t.Run(name, func(t *testing.T) {
			first := file{"a.json", strings.Replace(form, "%s", "11", 1)}
			second := file{"b.json", strings.Replace(form, "%s", "12", 1)}
			s := newServer(t)
			for _, f := range []file{first, second} {
				receipt, status := post(t, s, f)
				if status != http.StatusOK || len(receipt.Files) != 1 || receipt.Files[0].Error != nil {
					t.Errorf("%s: status %d, receipt %+v", f.name, status, receipt)
				}
			}
			apart := runIDs(t, s)
			s = newServer(t)
			if receipt, status := post(t, s, first, second); status != http.StatusOK {
				t.Errorf("both at once: status %d, receipt %+v", status, receipt)
			}
			if diff := cmp.Diff(apart, runIDs(t, s)); diff != "" {
				t.Errorf("runs differ (-apart +together):\n%s", diff)
			}
		})
	}
}

// Bytes that came before are of the run that they come with now, too.
func TestSameBytesInTwoDrops(t *testing.T) {
	row := func(day, more string) string {
		return `[{"model":"m","evaluation_date":"2026-01-` + day + `T03:04:05.123456","test_id":"a","agent_type":"tool","success":true,"total_tokens":30,"trace_id":"0x` + day + `"` + more + `}]`
	}
	metrics := file{"metrics.json", `{"run_id":null,"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"gen_ai.gpu.power","unit":"W","gauge":{"dataPoints":[{"timeUnixNano":"1761146400000000000","asDouble":11}]}}]}]}]}`}
	measured := func(t *testing.T, s *Server) (ids []string) {
		t.Helper()
		for _, id := range runIDs(t, s) {
			if strings.Contains(get(t, s, "/api/v1/runs/"+id+"/metrics.json").Body.String(), `"gen_ai.gpu.power"`) {
				ids = append(ids, id)
			}
		}
		return ids
	}
	t.Run("second run", func(t *testing.T) {
		s := newServer(t)
		post(t, s, file{"results.json", row("02", "")}, metrics)
		post(t, s, file{"results.json", row("12", "")}, metrics)
		if ids := measured(t, s); len(ids) != 2 || len(runIDs(t, s)) != 2 {
			t.Errorf("%q of %q have the metrics, want both of two", ids, runIDs(t, s))
		}
	})
	t.Run("two folders of one upload", func(t *testing.T) {
		s := newServer(t)
		post(t, s, file{"a/results.json", row("02", "")}, file{"a/metrics.json", metrics.text},
			file{"b/results.json", row("12", "")}, file{"b/metrics.json", metrics.text})
		if ids := measured(t, s); len(ids) != 2 || len(runIDs(t, s)) != 2 {
			t.Errorf("%q of %q have the metrics, want both of two", ids, runIDs(t, s))
		}
	})
	t.Run("alone first", func(t *testing.T) {
		s := newServer(t)
		post(t, s, metrics)
		post(t, s, file{"results.json", row("02", "")}, metrics)
		if ids := measured(t, s); len(ids) != 1 || len(runIDs(t, s)) != 1 {
			t.Errorf("%q of %q have the metrics, want the one run", ids, runIDs(t, s))
		}
	})
	t.Run("a run dropped again with a new file", func(t *testing.T) {
		s := newServer(t)
		leaderboard := file{"leaderboard.json", `{"model":"m","agent_type":"tool","total_tests":1,"total_tokens":30,"success_rate":100,"timestamp":"2026-01-02T03:04:06.152158"}`}
		post(t, s, file{"results.json", row("02", "")}, leaderboard)
		receipt, _ := post(t, s, file{"results.json", row("02", "")}, leaderboard, metrics)
		if ids := measured(t, s); len(ids) != 1 || len(runIDs(t, s)) != 1 {
			t.Errorf("%q of %q have the metrics, want the one run", ids, runIDs(t, s))
		}
		for _, f := range receipt.Files {
			if known := f.Name != "metrics.json"; known != slices.ContainsFunc(f.Repairs, func(r string) bool { return strings.Contains(r, "uploaded before") }) {
				t.Errorf("receipt of %s = %q", f.Name, f.Repairs)
			}
		}
	})
	t.Run("a part of a drop again", func(t *testing.T) {
		s := newServer(t)
		post(t, s, file{"results.json", row("02", "")}, metrics)
		ids := runIDs(t, s)
		before := datasets(t, s, ids[0])
		post(t, s, metrics)
		if diff := cmp.Diff(ids, runIDs(t, s)); diff != "" || datasets(t, s, ids[0]) != before {
			t.Errorf("the same bytes again changed something: runs (-want +got):\n%s", diff)
		}
	})
}

// Runs of one model at the same minute of other hours, dropped whole, do not
// lead to each other, though their times would fit if one were local and the
// other in UTC. A summary that comes late leads to its run.
func TestCluesLeadOneStep(t *testing.T) {
	hour := func(n int) []file {
		date := fmt.Sprintf("2026-01-02T%02d:04:05", n)
		return []file{
			{"results.json", fmt.Sprintf(`[{"model":"m","evaluation_date":"%s.12345%d","test_id":"a","agent_type":"tool","success":true,"total_tokens":%d,"trace_id":"0x%d"}]`, date, n, n, n)},
			{"leaderboard.json", fmt.Sprintf(`{"model":"m","agent_type":"tool","total_tests":1,"total_tokens":%d,"success_rate":100,"timestamp":"%s.2"}`, n, date)},
		}
	}
	s := newServer(t)
	for n := 1; n < 8; n++ {
		post(t, s, hour(n)...)
	}
	g := &gathering{parts: map[string]*enrich.Part{}}
	for _, f := range hour(8) {
		part, receipt := decode.Read(f.name, strings.NewReader(f.text))
		g.parts[receipt.SHA256] = part
		g.proofs = append(g.proofs, part.Keys()...)
		g.places = append(g.places, store.Place{SHA256: receipt.SHA256, Drop: "new"})
	}
	err := s.Store.Read(t.Context(), func(v *store.Snapshot) error {
		g.view = v
		change, _, err := s.ingester.derive(t.Context(), g)
		if len(change.Runs) != 1 || len(g.ids) > 0 {
			t.Errorf("%d runs are derived, of %d stored uploads, want the new run of none", len(change.Runs), len(g.ids))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	late := hour(8)
	post(t, s, late[0])
	receipt, _ := post(t, s, late[1])
	if ids := runIDs(t, s); len(ids) != 8 || len(receipt.Runs) != 1 || receipt.Runs[0].New {
		t.Errorf("%d runs, want 8; the late summary is of %+v, want the one stored run", len(ids), receipt.Runs)
	}
}

func FuzzUpload(f *testing.F) {
	id, files := sample(15)
	whole, contentType := form(files[0], file{"x.jsonl", "{}\n[]\n"})
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	f.Add(boundary, whole.Bytes())
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"../a/results.json\"\r\n\r\n[{\"test_id\":1}]\r\n--b--\r\n"))
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=\"files\"; filename*=utf-8''%00\r\n\r\n\xef\xbb\xbf{}\r\n--b\r\n\r\n"))
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.zip\"\r\n\r\n"+zipped(files[0], file{"../x", "x"})+"\r\n--b--\r\n"))
	f.Add("b", []byte("--b"))
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=files; filename=x\r\n\r\n"+id))
	s := newServer(f)
	s.MaxUpload = 1 << 20
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		log.Reset()
		r := httptest.NewRequest("POST", "http://127.0.0.1:8080/upload", bytes.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		r.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("status 500: %s", &log)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("the answer is no JSON: %.200q", w.Body)
		}
	})
}

func TestUploadsSideBySide(t *testing.T) {
	s := newServer(t)
	var want []string
	var uploads sync.WaitGroup
	for seed := range uint64(6) {
		id, files := sample(50 + seed)
		want = append(want, id)
		uploads.Go(func() {
			for _, f := range files {
				body, contentType := form(f)
				if w := do(s, "POST", "/upload", body, "Content-Type", contentType); w.Code != http.StatusOK {
					t.Errorf("upload of %s: status %d", f.name, w.Code)
				}
				if w := do(s, "GET", "/", nil); w.Code != http.StatusOK {
					t.Errorf("leaderboard: status %d", w.Code)
				}
			}
		})
	}
	uploads.Wait()
	slices.Sort(want)
	if diff := cmp.Diff(want, runIDs(t, s)); diff != "" {
		t.Errorf("runs differ (-want +got):\n%s", diff)
	}
}

// Two runs of one model with the same totals, dropped ten days apart without
// folders: each keeps the metrics that were dropped with it.
func TestDropsStayTogether(t *testing.T) {
	s := newServer(t)
	drop := func(day, space string) []file {
		row := `{"model":"m","evaluation_date":"2026-01-` + day + `T03:04:05.123456","test_id":"a","agent_type":"tool","success":true,"total_tokens":30,"trace_id":"0x` + day + `"}`
		metrics := `[{"name":"tests.successful","type":"counter","data_points":[{"value":{"value":1},"attributes":{"total_tests":1}}]},` + space +
			`{"name":"llm.token_count.total","type":"sum","unit":"tokens","data_points":[{"value":{"value":30},"attributes":{}}]}]`
		return []file{{"results.json", "[" + row + "]"}, {"metrics.json", metrics}}
	}
	post(t, s, drop("02", "")...)
	post(t, s, drop("12", " ")...)
	ids := runIDs(t, s)
	if len(ids) != 2 {
		t.Fatalf("runs = %v, want two", ids)
	}
	for _, id := range ids {
		if body := get(t, s, "/api/v1/runs/"+id+"/metrics.json").Body.String(); !strings.Contains(body, `"reported"`) {
			t.Errorf("run %s lost the metrics that came with it", id)
		}
	}
}
