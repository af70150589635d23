package main

import (
	"fmt"
	"time"

	"smolscope/gpu"
	"smolscope/server"
)

// gpuFlags say which GPUs are read and how long readings are kept.
type gpuFlags struct {
	GPU            string        `name:"gpu" default:"auto" placeholder:"auto|off|sim|replay:FILE" help:"Where readings of GPUs come from: the NVIDIA driver if there is one (auto), nowhere (off), a simulation (sim, or sim:gpus=4,seed=2), or a recording."`
	GPUEvery       time.Duration `name:"gpu-every" default:"1s" help:"Time between two readings, 100ms to 10s."`
	GPUKeep        time.Duration `name:"gpu-keep" default:"24h" help:"How long each reading is kept."`
	GPUKeepTens    time.Duration `name:"gpu-keep-tens" default:"168h" help:"How long one mean reading for every 10 seconds is kept."`
	GPUKeepMinutes time.Duration `name:"gpu-keep-minutes" default:"8760h" help:"How long one mean reading for every minute is kept."`
}

// checkEvery refuses a pace that no source keeps, or that says too little.
func checkEvery(every time.Duration) error {
	if every < 100*time.Millisecond || every > 10*time.Second {
		return fmt.Errorf("--gpu-every %v: want 100ms to 10s", every)
	}
	return nil
}

// gpus opens the source of readings.
func (f *gpuFlags) gpus() (server.GPUConfig, error) {
	if err := checkEvery(f.GPUEvery); err != nil {
		return server.GPUConfig{}, err
	}
	for _, k := range []struct {
		flag string
		keep time.Duration
	}{{"gpu-keep", f.GPUKeep}, {"gpu-keep-tens", f.GPUKeepTens}, {"gpu-keep-minutes", f.GPUKeepMinutes}} {
		if k.keep < time.Hour {
			return server.GPUConfig{}, fmt.Errorf("--%s %v: want an hour or more, such as 24h", k.flag, k.keep)
		}
	}
	source, err := gpu.Open(f.GPU)
	if err != nil {
		return server.GPUConfig{}, fmt.Errorf("--gpu: %w", err)
	}
	return server.GPUConfig{Source: source, Every: f.GPUEvery, Keep: server.Keep{Taken: f.GPUKeep, Tens: f.GPUKeepTens, Minute: f.GPUKeepMinutes}}, nil
}
