package gpu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"
)

// Record writes a reading every so often until ctx is done, each as one line of
// JSON. While the source has none, nothing is written: the gap shows in the times.
// The error is one of writing; w may then hold part of a line.
func Record(ctx context.Context, w io.Writer, source Source, every time.Duration) error {
	lines := json.NewEncoder(w)
	return Sample(ctx, source, every, func(r Reading, err error) error {
		if err != nil {
			return nil
		}
		if err := lines.Encode(r); err != nil {
			return fmt.Errorf("record GPU readings: %w", err)
		}
		return nil
	})
}

// longest is the time that a recording may span. It keeps durations from overflowing.
const longest = 366 * 24 * time.Hour

// ReadRecording reads what Record wrote: at least one reading, each later than
// the one before. An unfinished last line, as a killed recorder leaves, is left out.
// Errors name the line.
func ReadRecording(r io.Reader) ([]Reading, error) {
	var readings []Reading
	buffered := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := buffered.ReadBytes('\n')
		unfinished := errors.Is(err, io.EOF)
		if err != nil && !unfinished {
			return nil, err
		}
		if !unfinished || json.Valid(text) {
			var reading Reading
			if err := json.Unmarshal(text, &reading); err != nil {
				return nil, fmt.Errorf("line %d is no GPU reading: %w", line, err)
			}
			if n := len(readings); reading.Time.IsZero() || n > 0 && !reading.Time.After(readings[n-1].Time) {
				return nil, fmt.Errorf("line %d: the time of a GPU reading must be later than that of the line before", line)
			}
			readings = append(readings, reading)
			if reading.Time.Sub(readings[0].Time) > longest {
				return nil, fmt.Errorf("line %d: a recording of GPU readings is of a year at most", line)
			}
		}
		if unfinished {
			break
		}
	}
	if len(readings) == 0 {
		return nil, errors.New("no GPU reading in it, want one as JSON on each line")
	}
	return readings, nil
}

// A Replay gives recorded readings at the pace at which they were taken, over and
// over, with times as if they were taken now. A gap stays one: readings get old.
type Replay struct {
	readings []Reading
	start    time.Time
	length   time.Duration // of one round
}

// NewReplay returns a source that begins with the first of some readings at start.
// There must be at least one, and their times must rise.
func NewReplay(readings []Reading, start time.Time) *Replay {
	first, last := readings[0].Time, readings[len(readings)-1].Time
	steps := []time.Duration{time.Second}
	if len(readings) > 1 {
		steps = steps[:0]
	}
	for i := range readings[1:] {
		steps = append(steps, readings[i+1].Time.Sub(readings[i].Time))
	}
	slices.Sort(steps)
	// After the last reading comes the first, as long after as most come.
	return &Replay{readings, start, last.Sub(first) + steps[len(steps)/2]}
}

// Read returns the latest reading that is due.
func (p *Replay) Read(ctx context.Context) (Reading, error) {
	if err := ctx.Err(); err != nil {
		return Reading{}, err
	}
	return p.At(time.Now()), nil
}

// Close does nothing.
func (p *Replay) Close() error { return nil }

// At returns the latest reading that is due at a time, the first for times before
// the start.
func (p *Replay) At(t time.Time) Reading {
	since := max(t.Sub(p.start), 0)
	rounds := since / p.length
	begin := p.start.Add(rounds * p.length)
	first := p.readings[0].Time
	due := first.Add(since % p.length)
	next := sort.Search(len(p.readings), func(i int) bool { return p.readings[i].Time.After(due) })
	r := p.readings[next-1]
	r.Time, r.Source = begin.Add(r.Time.Sub(first)).UTC().Round(0), Replayed
	return r
}
