package gpu

import (
	"context"
	"time"
)

// Sample asks a source every so often until ctx is done, at once for the first
// time. Each new reading is handed to take, and each error of reading as often as it
// comes. Sample ends with the error that take returns, nil when ctx is done.
func Sample(ctx context.Context, source Source, every time.Duration, take func(Reading, error) error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last time.Time
	for ctx.Err() == nil {
		r, err := source.Read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || r.Time.After(last) {
			if err := take(r, err); err != nil {
				return err
			}
			last = r.Time
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}
