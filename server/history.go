package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"smolscope/gpu"
	"smolscope/server/store"
)

// A level is a coarseness at which readings of GPUs are kept.
type level struct {
	step  time.Duration // of roll-ups; 0: each reading as it was taken
	block time.Duration // readings that are stored together
	keep  time.Duration
}

// Keep says for how long readings of GPUs are kept.
type Keep struct {
	Taken  time.Duration // each one
	Tens   time.Duration // one for 10 s
	Minute time.Duration // one for a minute, and one for an hour
}

// DefaultKeep is a day, a week and a year.
var DefaultKeep = Keep{24 * time.Hour, 7 * 24 * time.Hour, 365 * 24 * time.Hour}

// levels lists them, the finest first. All but the first are made of the one before.
func (k Keep) levels() []level {
	return []level{
		{0, time.Minute, k.Taken},
		{10 * time.Second, 30 * time.Minute, k.Tens},
		{time.Minute, 4 * time.Hour, k.Minute},
		{time.Hour, 20 * 24 * time.Hour, k.Minute},
	}
}

// A history keeps readings in the store: those of the latest block of each level are
// in memory too, and are stored anew as the block grows.
type history struct {
	store  *store.Store
	host   string
	source string // "" before the first reading
	levels []openBlock
	pruned time.Time
}

// An openBlock is the block of a level that still grows.
type openBlock struct {
	level
	start    time.Time
	readings []gpu.Reading
	whole    []gpu.Reading // of blocks before, that are not rolled up yet
	dirty    bool
}

func newHistory(s *store.Store, host string, keep Keep) *history {
	h := &history{store: s, host: host}
	for _, l := range keep.levels() {
		h.levels = append(h.levels, openBlock{level: l})
	}
	return h
}

// resume takes up the blocks that a program before this one left open.
func (h *history) resume(ctx context.Context, source string) error {
	err := h.store.Read(ctx, func(v *store.Snapshot) error {
		for i := range h.levels {
			b := &h.levels[i]
			b.start, b.readings, b.whole, b.dirty = time.Time{}, nil, nil, false
			series := store.ReadingSeries{Source: source, Host: h.host, Step: b.step}
			_, start, err := v.LastReadings(ctx, series)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if b.readings, err = readingsOf(ctx, v, series, start, start.Add(b.block)); err != nil {
				return err
			}
			b.start = start
		}
		return nil
	})
	if err == nil {
		h.source = source
	}
	return err
}

// add stores new readings, in order of time and from one source, and what they
// complete of the coarser levels.
func (h *history) add(ctx context.Context, readings []gpu.Reading, now time.Time) error {
	for len(readings) > 0 {
		source := readings[0].Source
		n := slices.IndexFunc(readings, func(r gpu.Reading) bool { return r.Source != source })
		if n < 0 {
			n = len(readings)
		}
		if h.source != source {
			if err := h.resume(ctx, source); err != nil {
				return err
			}
		}
		h.levels[0].grow(readings[:n])
		readings = readings[n:]
		if err := h.save(ctx); err != nil {
			return err
		}
	}
	return h.prune(ctx, now)
}

// grow adds readings; what a new block leaves behind it is whole.
func (b *openBlock) grow(readings []gpu.Reading) {
	for _, r := range readings {
		if n := len(b.readings); n > 0 && !r.Time.After(b.readings[n-1].Time) {
			continue // a clock that was set back: what is there stays
		}
		if start := r.Time.Truncate(b.block); !start.Equal(b.start) {
			b.whole = append(b.whole, b.readings...)
			b.start, b.readings = start, nil
		}
		b.readings = append(b.readings, r)
		b.dirty = true
	}
}

// save stores what has grown. A block that is left behind is rolled up first, so
// that what it becomes is stored with what follows it.
func (h *history) save(ctx context.Context) error {
	var blocks []store.ReadingBlock
	for i := range h.levels {
		b := &h.levels[i]
		if len(b.whole) > 0 && i+1 < len(h.levels) {
			h.levels[i+1].grow(gpu.Rollup(b.whole, h.levels[i+1].step))
		}
		for _, list := range [][]gpu.Reading{b.whole, b.readings} {
			if b.dirty && len(list) > 0 {
				blocks = append(blocks, h.blocks(b.level, list)...)
			}
		}
	}
	if err := h.store.PutReadings(ctx, blocks...); err != nil {
		return err // all of it is tried again with the next readings
	}
	for i := range h.levels {
		h.levels[i].whole, h.levels[i].dirty = nil, false
	}
	return nil
}

// blocks cuts readings into blocks as they are stored.
func (h *history) blocks(l level, readings []gpu.Reading) (list []store.ReadingBlock) {
	for len(readings) > 0 {
		start := readings[0].Time.Truncate(l.block)
		n := slices.IndexFunc(readings, func(r gpu.Reading) bool { return !r.Time.Truncate(l.block).Equal(start) })
		if n < 0 {
			n = len(readings)
		}
		var text bytes.Buffer
		lines := json.NewEncoder(&text)
		for _, r := range readings[:n] {
			_ = lines.Encode(r) // numbers and texts: it cannot fail
		}
		list = append(list, store.ReadingBlock{ReadingSeries: store.ReadingSeries{Source: h.source, Host: h.host, Step: l.step}, Start: start, Text: text.Bytes()})
		readings = readings[n:]
	}
	return list
}

// prune drops what is kept no longer, once an hour.
func (h *history) prune(ctx context.Context, now time.Time) error {
	if now.Sub(h.pruned) < time.Hour {
		return nil
	}
	h.pruned = now
	for _, b := range h.levels {
		if err := h.store.PruneReadings(ctx, b.step, now.Add(-b.keep-b.block)); err != nil {
			return err
		}
	}
	return nil
}

// readingsOf returns the readings of a series from one time to another, both included.
func readingsOf(ctx context.Context, v *store.Snapshot, series store.ReadingSeries, from, to time.Time) ([]gpu.Reading, error) {
	blocks, err := v.Readings(ctx, series, from, to)
	if err != nil {
		return nil, err
	}
	var list []gpu.Reading
	for _, b := range blocks {
		readings, err := gpu.ReadRecording(bytes.NewReader(b.Text))
		if err != nil {
			return nil, err
		}
		list = append(list, readings...)
	}
	return slices.DeleteFunc(list, func(r gpu.Reading) bool { return r.Time.Before(from) || r.Time.After(to) }), nil
}
