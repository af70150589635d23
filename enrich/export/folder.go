package export

import (
	"fmt"
	"io"
	"strings"

	"smolscope/enrich"
)

// FolderName returns the name of the folder a run is written to: its id, with
// every byte outside A-Za-z0-9._- as %XX, and never a name such as ".." that
// would leave the folder it lies in.
func FolderName(runID string) string {
	if runID == "." || runID == ".." {
		return strings.ReplaceAll(runID, ".", "%2E")
	}
	var name strings.Builder
	for i := range len(runID) {
		switch b := runID[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '_', b == '-':
			name.WriteByte(b)
		default:
			fmt.Fprintf(&name, "%%%02X", b)
		}
	}
	return name.String()
}

// Folder writes the four datasets of a run in one of Formats to what create
// returns for file names such as results.csv.
func Folder(t *enrich.Tables, format string, create func(name string) (io.WriteCloser, error)) error {
	for _, dataset := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{enrich.Results, func(w io.Writer) error { return Write(w, format, enrich.ResultColumns, Rows(t.Results)) }},
		{enrich.Traces, func(w io.Writer) error { return Write(w, format, enrich.TraceColumns, Rows(t.Traces)) }},
		{enrich.Metrics, func(w io.Writer) error { return Write(w, format, enrich.MetricColumns, Rows(t.Metrics)) }},
		{enrich.Leaderboard, func(w io.Writer) error {
			return Write(w, format, enrich.LeaderboardColumns, Rows([]enrich.LeaderboardRow{t.Leaderboard}))
		}},
	} {
		w, err := create(dataset.name + "." + format)
		if err != nil {
			return err
		}
		err = dataset.write(w)
		if closing := w.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", dataset.name, err)
		}
	}
	return nil
}
