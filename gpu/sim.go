package gpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// A Sim is GPUs that do not exist, under loads that come and go. What they say is a
// function of the seed and the time alone. Between whole seconds after the start
// power goes in a straight line, and the energy counter is its exact integral, so
// whoever integrates readings of whole seconds must arrive at the counter.
type Sim struct {
	start time.Time
	cards []card
}

// cycle is after how many seconds a card begins anew.
const cycle = 300

// A card is one simulated GPU: what it says at each second of the cycle. The last
// entry is the first of the next cycle, as far as power and temperature go.
type card struct {
	model
	load    [cycle + 1]float64 // 0 to 1
	memory  [cycle + 1]float64 // MiB
	watts   [cycle + 1]float64
	joules  [cycle + 1]float64 // since the beginning of the cycle
	celsius [cycle + 1]float64
}

// A model is a kind of GPU. Its figures are round ones near those of the real.
type model struct {
	name               string
	memory             float64 // MiB
	idle, limit        float64 // W
	smClock, memClock  float64 // MHz, under load
	slowSM, slowMemory float64 // MHz, idle
	state              float64 // P-state when idle
	fan, ecc           bool
}

var models = []model{
	{"simulated H100 80GB", 81559, 70, 700, 1980, 2619, 345, 2619, 0, false, true},
	{"simulated RTX 4090", 24564, 20, 450, 2520, 10501, 210, 405, 8, true, false},
}

// NewSim returns simulated GPUs that begin, idle and with their energy counters at
// 0, at start.
func NewSim(gpus int, seed uint64, start time.Time) *Sim {
	s := &Sim{start: start, cards: make([]card, gpus)}
	for i := range s.cards {
		s.cards[i].model = models[i%len(models)]
		s.cards[i].fill(rand.New(rand.NewPCG(seed, uint64(i))))
	}
	return s
}

// fill lays out a cycle: jobs with pauses, power after load, temperature after power.
func (c *card) fill(random *rand.Rand) {
	between := func(from, to float64) float64 { return from + (to-from)*random.Float64() }
	loaded := 0.0
	for second := int(between(5, 15)); second < cycle; {
		end := second + int(between(30, 80))
		if end > cycle-5 {
			break // the cycle ends as it began: idle
		}
		level := between(0.4, 1)
		loaded = math.Round(c.model.memory * between(0.2, 0.8))
		for ; second < end; second++ {
			c.load[second], c.memory[second] = level*between(0.94, 1), loaded
		}
		pause := min(second+int(between(5, 25)), cycle)
		for ; second < pause; second++ {
			c.memory[second] = loaded // the weights stay
		}
	}
	for i := range cycle {
		c.memory[i] = max(c.memory[i], 600)
		c.watts[i] = c.idle*between(0.98, 1.02) + c.load[i]*(c.limit-1.02*c.idle)
	}
	c.load[cycle], c.memory[cycle], c.watts[cycle] = c.load[0], c.memory[0], c.watts[0]
	for i := range cycle {
		c.joules[i+1] = c.joules[i] + (c.watts[i]+c.watts[i+1])/2
	}
	for range 2 { // the second time from where the first has ended
		c.celsius[0] = max(c.celsius[cycle], 30)
		for i := range cycle {
			target := 30 + 48*c.watts[i]/c.limit
			c.celsius[i+1] = c.celsius[i] + (target-c.celsius[i])/25
		}
	}
}

// Read returns what the GPUs say now.
func (s *Sim) Read(ctx context.Context) (Reading, error) {
	if err := ctx.Err(); err != nil {
		return Reading{}, err
	}
	return s.At(time.Now()), nil
}

// Close does nothing.
func (s *Sim) Close() error { return nil }

// At returns what the GPUs say at a time, at their start for times before it.
func (s *Sim) At(t time.Time) Reading {
	r := Reading{Time: t.UTC().Round(0), Source: Simulated, GPUs: make([]GPU, len(s.cards))}
	for i := range s.cards {
		r.GPUs[i] = s.cards[i].at(i, max(t.Sub(s.start).Seconds(), 0))
	}
	return r
}

func (c *card) at(id int, seconds float64) GPU {
	cycles, rest := math.Floor(seconds/cycle), math.Mod(seconds, cycle)
	i := int(rest)
	part := rest - float64(i)
	watts := c.watts[i]*(1-part) + c.watts[i+1]*part
	load := c.load[i]
	g := GPU{
		ID:                strconv.Itoa(id),
		Name:              c.name,
		UUID:              fmt.Sprintf("GPU-00000000-0000-0000-0000-%012d", id),
		Utilization:       new(math.Round(100 * load)),
		MemoryUsedMiB:     new(c.memory[i]),
		MemoryTotalMiB:    new(c.model.memory),
		MemoryUtilization: new(math.Round(45 * load)),
		Temperature:       new(math.Round(c.celsius[i]*(1-part) + c.celsius[i+1]*part)),
		PowerWatts:        new(watts),
		PowerLimitWatts:   new(c.limit),
		EnergyJoules:      new(cycles*c.joules[cycle] + c.joules[i] + (c.watts[i]+watts)/2*part),
		SMClockMHz:        new(c.slowSM),
		MemoryClockMHz:    new(c.slowMemory),
		PerformanceState:  new(c.state),
		PCIeTx:            new(math.Round(90_000 * load)),
		PCIeRx:            new(math.Round(220_000 * load)),
		XIDErrors:         new(0.0),
		ThrottleReasons:   []string{"gpu_idle"},
		Processes:         []Process{},
	}
	if load > 0 {
		g.SMClockMHz, g.MemoryClockMHz, g.PerformanceState = new(c.smClock), new(c.memClock), new(0.0)
		g.ThrottleReasons = []string{}
		g.Processes = []Process{{PID: 1000 + id, Name: "simulated", MemoryUsedMiB: g.MemoryUsedMiB, Utilization: g.Utilization}}
	}
	if watts > 0.95*c.limit {
		g.ThrottleReasons = []string{"sw_power_cap"}
	}
	if c.fan {
		g.FanSpeed = new(math.Round(100 * max(0, *g.Temperature-40) / 50))
	}
	if c.ecc {
		g.ECCCorrected, g.ECCUncorrected = new(0.0), new(0.0)
	}
	return g
}

// outageCycle is after how long the driver of failing GPUs goes again.
const outageCycle = 20 * time.Second

// failing are simulated GPUs whose driver goes and comes back: it is away for the
// last part of each outageCycle.
type failing struct {
	*Sim
	outage time.Duration
}

// Read fails while the driver is away.
func (f *failing) Read(ctx context.Context) (Reading, error) {
	r, err := f.Sim.Read(ctx)
	if err == nil && r.Time.Sub(f.start)%outageCycle >= outageCycle-f.outage {
		return Reading{}, errors.New("the simulated driver is away")
	}
	return r, err
}
