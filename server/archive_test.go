package server

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/server/store"
)

func zipped(files ...file) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, _ := w.Create(f.name)
		io.WriteString(out, f.text)
	}
	w.Close()
	return b.String()
}

func tarred(files ...file) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range files {
		w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.text)), Mode: 0o644})
		io.WriteString(w, f.text)
	}
	w.Close()
	z.Close()
	return b.String()
}

// TestUploadArchive uploads two runs in an archive: they are the runs that their
// folders would have been, and each file has its receipt. Uploading a folder
// later changes nothing.
func TestUploadArchive(t *testing.T) {
	one, files := sample(21)
	two, more := sample(22)
	want := newServer(t)
	post(t, want, files...)
	post(t, want, more...)
	for name, archive := range map[string]string{"runs.zip": zipped(append(files, more...)...), "runs.tar.gz": tarred(append(files, more...)...)} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			receipt, status := post(t, s, file{name, archive})
			if status != http.StatusOK || len(receipt.Files) != len(files)+len(more) || len(receipt.Runs) != 2 {
				t.Fatalf("status %d, receipt %+v", status, receipt)
			}
			for _, f := range receipt.Files {
				if !strings.HasPrefix(f.Name, name+"/") || f.Error != nil {
					t.Errorf("receipt %+v, want one of a file in %s", f, name)
				}
			}
			for _, id := range []string{one, two} {
				if diff := cmp.Diff(datasets(t, want, id), datasets(t, s, id)); diff != "" {
					t.Errorf("run %s differs (-folder +archive):\n%s", id, diff)
				}
			}
			again, _ := post(t, s, files...)
			if len(again.Runs) != 1 || again.Runs[0].New {
				t.Errorf("the folder of a run that came in an archive makes runs %+v", again.Runs)
			}
			s.ingester.limits = decode.Limits{Unpacked: 1, Upload: 1} // asked of uploads, not of what is stored
			if part, _, err := rereadFirst(t, s); err != nil || part == nil {
				t.Errorf("a stored file is not read again: part %v, error %v", part, err)
			}
		})
	}
}

// TestUploadArchiveRefused stores nothing of what leads out of an archive, and
// says so.
func TestUploadArchiveRefused(t *testing.T) {
	s := newServer(t)
	id, files := sample(23)
	files = append(files, file{"../../up.json", "[]"})
	receipt, status := post(t, s, file{"run.zip", zipped(files...)})
	refused := 0
	for _, f := range receipt.Files {
		if f.Error != nil {
			refused++
			if *f.Error != "its path leads out of the archive" || f.Name != "run.zip/../../up.json" {
				t.Errorf("refused: %s: %s", f.Name, *f.Error)
			}
		}
	}
	if status != http.StatusOK || refused != 1 || len(receipt.Runs) != 1 || receipt.Runs[0].RunID != id {
		t.Errorf("status %d, %d refused, runs %+v", status, refused, receipt.Runs)
	}
	body, contentType := form(file{"run.zip", zipped(file{"../<b>.json", "[]"})})
	page := do(s, "POST", "/upload", body, "Content-Type", contentType, "Accept", "text/html")
	if page.Code != http.StatusUnprocessableEntity || !strings.Contains(page.Body.String(), "run.zip/../&lt;b&gt;.json") || strings.Contains(page.Body.String(), "<b>.json") {
		t.Errorf("status %d, a page that names the file, escaped:\n%s", page.Code, page.Body)
	}
	if receipt, status := post(t, s, file{"run.zip", "PK\x03\x04 and no more"}); status != http.StatusUnprocessableEntity || len(receipt.Files) != 1 || receipt.Files[0].SHA256 == "" {
		t.Errorf("damaged archive: status %d, receipt %+v", status, receipt)
	}
}

// TestUploadUnpackedLimit refuses files that unpack to more than an upload may,
// archives and others together.
func TestUploadUnpackedLimit(t *testing.T) {
	s := newServer(t)
	s.ingester.limits = decode.Limits{Upload: 5000}
	rows := func(id string) string {
		return `[{"test_id":"` + id + `","success":true,"agent_type":"tool","response":"` + strings.Repeat("x", 2000) + `"}]`
	}
	receipt, _ := post(t, s, file{"a/a.zip", zipped(file{"results.json", rows("a")})}, file{"b/b.tgz", tarred(file{"results.json", rows("b")})}, file{"c/c.zip", zipped(file{"results.json", rows("c")})})
	taken, refused := 0, 0
	for _, f := range receipt.Files {
		if f.Error == nil {
			taken++
		} else if strings.Contains(*f.Error, "more than 5000 bytes (--max-unpacked-upload)") {
			refused++
		} else {
			t.Errorf("%s: %s", f.Name, *f.Error)
		}
	}
	if taken != 2 || refused != 2 { // the third file, and its archive, which ends with it
		t.Errorf("%d taken, %d refused: %+v", taken, refused, receipt.Files)
	}
}

// rereadFirst reads a stored upload as it is read when runs are derived again.
func rereadFirst(t *testing.T, s *Server) (part *enrich.Part, receipt enrich.File, err error) {
	t.Helper()
	list := get(t, s, "/api/v1/runs/"+runIDs(t, s)[0])
	var document struct{ Files []enrich.File }
	if err := json.Unmarshal(list.Body.Bytes(), &document); err != nil || len(document.Files) == 0 {
		t.Fatalf("files of a run: %v", err)
	}
	err = s.Store.Read(t.Context(), func(v *store.Snapshot) (err error) {
		part, receipt, err = reread(t.Context(), v, document.Files[0].SHA256, s.ingester.limits)
		return err
	})
	return part, receipt, err
}
