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
	return Files(format, create, func(w io.Writer, dataset string) error { return Dataset(w, t, format, dataset) })
}

// Dataset writes one of a run's datasets, by its name, in one of Formats.
func Dataset(w io.Writer, t *enrich.Tables, format, dataset string) error {
	switch dataset {
	case enrich.Results:
		return Write(w, format, enrich.ResultColumns, Rows(t.Results))
	case enrich.Traces:
		return Write(w, format, enrich.TraceColumns, Rows(t.Traces))
	case enrich.Metrics:
		return Write(w, format, enrich.MetricColumns, Rows(t.Metrics))
	case enrich.Leaderboard:
		return Write(w, format, enrich.LeaderboardColumns, Rows([]enrich.LeaderboardRow{t.Leaderboard}))
	}
	return fmt.Errorf("no dataset %q", dataset)
}

// Files calls write with a file for each of the four datasets, which create
// makes for names such as results.parquet, and closes it.
func Files(format string, create func(name string) (io.WriteCloser, error), write func(w io.Writer, dataset string) error) error {
	for _, dataset := range []string{enrich.Results, enrich.Traces, enrich.Metrics, enrich.Leaderboard} {
		w, err := create(dataset + "." + format)
		if err != nil {
			return err
		}
		err = write(w, dataset)
		if closing := w.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", dataset, err)
		}
	}
	return nil
}
