package gpu_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"smolscope/gpu"
)

// flaky gives the same reading twice, then an error, and so on.
type flaky struct{ asked int }

func (f *flaky) Read(context.Context) (gpu.Reading, error) {
	f.asked++
	if f.asked%3 == 0 {
		return gpu.Reading{}, errors.New("the driver is gone")
	}
	return gpu.Reading{Time: time.Unix(int64(f.asked/3), 0)}, nil
}

func (f *flaky) Close() error { return nil }

func TestSample(t *testing.T) {
	source := &flaky{}
	enough := errors.New("enough")
	var readings, failures int
	err := gpu.Sample(t.Context(), source, time.Millisecond, func(_ gpu.Reading, err error) error {
		if err != nil {
			failures++
		} else {
			readings++
		}
		if failures == 2 {
			return enough
		}
		return nil
	})
	// asked: new, the same, error, new, new (a second later), error
	if !errors.Is(err, enough) || readings != 2 || source.asked != 6 {
		t.Errorf("%d readings of %d asked for, error %v; want 2 of 6 and the error of who takes them", readings, source.asked, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := gpu.Sample(ctx, source, time.Hour, func(gpu.Reading, error) error { cancel(); return nil }); err != nil {
		t.Errorf("ended by its context: error %v, want none", err)
	}
}
