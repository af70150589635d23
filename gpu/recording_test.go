package gpu_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"smolscope/gpu"
)

// TestReplay goes through a recording of readings at 0, 1, 2 and 12 s, of which a
// round takes 13: most steps are of 1 s, so the first comes again 1 s after the last.
func TestReplay(t *testing.T) {
	replay := gpu.NewReplay(recording(t), noon)
	for _, tt := range []struct {
		at, taken float64 // seconds after the start
		watts     float64
	}{
		{-5, 0, 70.5},
		{0, 0, 70.5},
		{0.9, 0, 70.5},
		{1, 1, 300},
		{11.9, 2, 310}, // the gap: the reading is old, and says so
		{12, 12, 320},
		{12.9, 12, 320},
		{13, 13, 70.5},
		{14.5, 14, 300},
		{13*100 + 2, 13*100 + 2, 310},
	} {
		r := replay.At(noon.Add(seconds(tt.at)))
		if got := r.Time.Sub(noon).Seconds(); got != tt.taken || *r.GPUs[0].PowerWatts != tt.watts || r.Source != "replay" {
			t.Errorf("after %v s: %v W of %v s from %s, want %v W of %v s", tt.at, *r.GPUs[0].PowerWatts, got, r.Source, tt.watts, tt.taken)
		}
	}
}

func TestReplayOfOne(t *testing.T) {
	replay := gpu.NewReplay(recording(t)[:1], noon)
	if got := replay.At(noon.Add(seconds(2.5))).Time; !got.Equal(noon.Add(seconds(2))) {
		t.Errorf("a recording of one reading: taken at %v, want each second", got)
	}
}

func TestReadRecording(t *testing.T) {
	const first = `{"time":"2026-01-01T12:00:00Z","gpus":[]}` + "\n"
	for _, tt := range []struct {
		name, text, err string
		readings        int
	}{
		{"one", first, "", 1},
		{"no line end", strings.TrimSpace(first), "", 1},
		{"unfinished line", first + `{"time":"2026-01-0`, "", 1},
		{"unknown keys", `{"time":"2026-01-01T12:00:00Z","gpus":[{"gpu_id":"0","gpu_mood":1}],"x":2}`, "", 1},
		{"empty", "", "no GPU reading in it, want one as JSON on each line", 0},
		{"only unfinished", `{"time"`, "no GPU reading in it, want one as JSON on each line", 0},
		{"not JSON", first + "hello\n", "line 2 is no GPU reading: invalid character 'h' looking for beginning of value", 0},
		{"no time", "{}\n", "line 1: the time of a GPU reading must be later than that of the line before", 0},
		{"a year apart", first + `{"time":"2027-02-01T12:00:00Z","gpus":[]}` + "\n", "line 2: a recording of GPU readings is of a year at most", 0},
		{"same time", first + first, "line 2: the time of a GPU reading must be later than that of the line before", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			readings, err := gpu.ReadRecording(strings.NewReader(tt.text))
			if text(err) != tt.err || len(readings) != tt.readings {
				t.Errorf("%d readings, error %q, want %d, %q", len(readings), text(err), tt.readings, tt.err)
			}
		})
	}
}

// TestRecord records a replay and must get what is replayed, each reading once
// although it is asked for twice as often, and none for the gap.
func TestRecord(t *testing.T) {
	want := recording(t)
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), seconds(12.9))
		defer cancel()
		if err := gpu.Record(ctx, &file, gpu.NewReplay(want, start), seconds(0.5)); err != nil {
			t.Fatal(err)
		}
		got, err := gpu.ReadRecording(&file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Time, got[i].Source = got[i].Time.Add(want[0].Time.Sub(start)), "nvml"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("recorded (-replayed +recorded):\n%s", diff)
		}
	})
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestRecordSaysWhenItCannotWrite(t *testing.T) {
	err := gpu.Record(t.Context(), full{}, gpu.NewSim(1, 1, noon), time.Hour)
	if want := "record GPU readings: the disk is full"; text(err) != want {
		t.Errorf("error %q, want %q", text(err), want)
	}
}

// FuzzReadRecording proves that whatever can be read can be replayed and recorded.
func FuzzReadRecording(f *testing.F) {
	body, err := os.ReadFile("testdata/gap.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, int64(0))
	f.Add([]byte(`{"time":"2026-01-01T12:00:00Z"}`+"\n"+`{"time":"2026-12-01T12:00:00Z"}`), int64(5))
	f.Fuzz(func(t *testing.T, body []byte, after int64) {
		readings, err := gpu.ReadRecording(bytes.NewReader(body))
		if err != nil {
			return
		}
		at := noon.Add(time.Duration(after))
		if r := gpu.NewReplay(readings, noon).At(at); at.After(noon) && r.Time.After(at) {
			t.Errorf("at %v there is a reading of %v", at, r.Time)
		}
	})
}

func recording(t *testing.T) []gpu.Reading {
	t.Helper()
	file, err := os.Open("testdata/gap.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	readings, err := gpu.ReadRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	return readings
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
