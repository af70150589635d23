package views

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smolscope/enrich/unit"
	"smolscope/views/chart"
)

// A GPUQuery is how the page of the GPUs is asked for.
type GPUQuery struct {
	Window string // how far back it looks: one of gpuWindows
	Each   bool   // a line for each GPU, and not one for all
}

// gpuWindows are how far back the page can look.
var gpuWindows = []struct {
	name, text string
	length     time.Duration
}{
	{"1m", "1 min", time.Minute}, {"15m", "15 min", 15 * time.Minute}, {"1h", "1 h", time.Hour}, {"6h", "6 h", 6 * time.Hour},
	{"1d", "1 day", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour}, {"30d", "30 days", 30 * 24 * time.Hour}, {"1y", "1 year", 365 * 24 * time.Hour},
}

// ParseGPUQuery reads ?window= and ?view=sum|each.
func ParseGPUQuery(v url.Values) (q GPUQuery, err error) {
	var names []string
	for _, w := range gpuWindows {
		names = append(names, w.name)
	}
	if q.Window = "15m"; v.Get("window") != "" {
		if q.Window, err = parseChoice(v, "window", names...); err != nil {
			return q, err
		}
	}
	view, err := parseChoice(v, "view", "sum", "each")
	q.Each = view == "each"
	return q, err
}

// Length is how far back the page looks.
func (q GPUQuery) Length() time.Duration {
	for _, w := range gpuWindows {
		if w.name == q.Window {
			return w.length
		}
	}
	return 0
}

func (q GPUQuery) url(path string) string {
	v := url.Values{}
	if q.Window != "15m" {
		v.Set("window", q.Window)
	}
	if q.Each {
		v.Set("view", "each")
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// GPUData is what the page of the GPUs is made of.
type GPUData struct {
	Source       string // of the readings: "nvml", "sim", "replay", "" of none
	Host         string
	Driver, CUDA string
	Reason       string        // why there are no readings now, "" if there are
	Age          time.Duration // of the latest reading
	Fields       []GPUField    // what Numbers hold, in order
	Latest       []GPU         // of the latest reading
	Lately       []GPUReading  // of the last minutes
	From, To     time.Time     // of the window
	Readings     []GPUReading  // of the window, as many as a chart shows
	Used         []GPUUsage    // over the window
	Tariff       float64       // USD/kWh
	Runs         []GPURun      // in the window
}

// A GPUField is one number that a GPU can say.
type GPUField struct{ Name, Metric, Unit, Doc string }

// A GPUReading is what all GPUs said at a moment.
type GPUReading struct {
	At   time.Time
	GPUs []GPU
}

// A GPU is what one said. What it did not say is not in Numbers; of lists nil is
// not known.
type GPU struct {
	ID, Name, Error string
	Numbers         map[string]float64 // by the names of fields
	Throttle        []string
	Processes       []GPUProcess
	Instances       []string // of MIG
}

func (g *GPU) number(name string) *float64 {
	if v, ok := g.Numbers[name]; ok {
		return &v
	}
	return nil
}

// A GPUProcess is a program that uses a GPU.
type GPUProcess struct {
	PID         int
	Name        string
	MemoryMiB   *float64
	Utilization *float64 // %
}

// A GPUUsage is what one GPU used over the window, in joules.
type GPUUsage struct {
	ID, Name          string
	Counter, Integral *float64
	Known             time.Duration // for which power is known
}

// A GPURun is a run that was going on in the window.
type GPURun struct {
	ID, Model string
	From, To  time.Time
	Tests     int
	Marks     []chart.Mark // of the tests whose times are known
}

// The names of the numbers that pages show by themselves.
const (
	gpuUtilization = "gpu_utilization_percent"
	gpuMemoryUsed  = "gpu_memory_used_mib"
	gpuMemoryTotal = "gpu_memory_total_mib"
	gpuTemperature = "gpu_temperature_celsius"
	gpuPower       = "gpu_power_watts"
	gpuPowerLimit  = "gpu_power_limit_watts"
	gpuSMClock     = "gpu_clock_sm_mhz"
	gpuMemoryClock = "gpu_clock_memory_mhz"
)

// A GPUPage shows the GPUs of the machine now and in the time before.
type GPUPage struct {
	Layout   Layout
	Source   string // a word for readings that are not of real GPUs now, "" for none
	Facts    string // host, driver
	Reason   string
	Advice   string
	Age      string // of the latest reading, in milliseconds, for the script
	AgeText  string
	Every    string // how often the script asks for the page anew, in milliseconds
	Cards    []GPUCard
	Windows  []Tab
	Views    []Tab // sum or each, where there are several GPUs
	Charts   []chart.Chart
	Since    Moment // of the first reading
	Used     []GPUUsageLine
	Runs     []GPURunLine
	Download string
	Empty    string // said where there are no readings in the window
}

// A GPUCard shows one GPU now.
type GPUCard struct {
	ID, Name, Error                         string
	Utilization, Memory, Temperature, Power string
	UtilizationBar, MemoryBar, PowerBar     string // percent of the whole, "" for none
	Heat                                    string // "warm" from 80 °C, "hot" from 90 °C
	Clocks                                  string
	Throttle                                string // why the clocks are held down, "" if they are not
	Spark, SparkLabel                       string // points of power over the last minutes
	Numbers                                 []GPUNumber
	Processes                               []GPUProcessLine
	NoProcesses                             string
	Instances                               []string
}

// A GPUNumber is one number that a GPU said.
type GPUNumber struct{ Name, Value, Doc string }

// A GPUProcessLine is one program that uses a GPU.
type GPUProcessLine struct{ PID, Name, Memory, Utilization string }

// A GPUUsageLine says what a GPU used over the window.
type GPUUsageLine struct {
	Name, Energy, Cost, Mean, How string
	Total                         bool
}

// A GPURunLine is a run of the window.
type GPURunLine struct {
	Model, Href, Tests string
	From               Moment
	Took               string
}

// NewGPUPage makes the page of the GPUs.
func NewGPUPage(d GPUData, q GPUQuery) GPUPage {
	p := GPUPage{
		Layout: Layout{Title: "GPUs", Section: "gpu", Wide: true},
		Reason: d.Reason,
	}
	switch d.Source {
	case "sim":
		p.Source = "simulated"
	case "replay":
		p.Source = "replay"
	}
	var facts []string
	if d.Host != "" && d.Source != "" {
		facts = append(facts, "on "+visible(d.Host))
	}
	if d.Driver != "" {
		facts = append(facts, "driver "+visible(d.Driver))
	}
	if d.CUDA != "" {
		facts = append(facts, "CUDA "+visible(d.CUDA))
	}
	p.Facts = strings.Join(facts, " · ")
	if d.Reason != "" {
		p.Advice = "Start smolscope with --gpu sim to see this page with simulated GPUs, or with --gpu replay:FILE for a recording."
		if d.Source != "" {
			p.Advice = "What was recorded before is shown."
		}
	}
	if len(d.Latest) > 0 {
		p.Age = strconv.FormatInt(max(d.Age.Milliseconds(), 0), 10)
		p.AgeText = unit.Seconds(new(max(d.Age.Seconds(), 0))) + " ago"
	}
	// A chart of 600 points changes no sooner than a 600th of the window.
	p.Every = strconv.FormatInt(max(1000, (q.Length()/600).Milliseconds()), 10)
	for i := range d.Latest {
		p.Cards = append(p.Cards, newGPUCard(&d.Latest[i], d))
	}
	for _, w := range gpuWindows {
		p.Windows = append(p.Windows, Tab{Text: w.text, Href: GPUQuery{w.name, q.Each}.url("/gpu"), Current: w.name == q.Window})
	}
	names := gpuNames(d.Readings)
	if len(names) > 1 {
		p.Views = []Tab{{Text: "All together", Href: GPUQuery{q.Window, false}.url("/gpu"), Current: !q.Each}, {Text: "Each", Href: GPUQuery{q.Window, true}.url("/gpu"), Current: q.Each}}
	}
	if len(d.Readings) == 0 {
		if d.Source != "" {
			p.Empty = "There are no readings of this time. Choose a longer one."
		}
		return p
	}
	first := later(d.Readings[0].At, d.From).UTC()
	p.Since = Moment{ISO: first.Format(time.RFC3339), Text: first.Format("2 Jan 2006, 15:04:05 UTC")}
	p.Layout.Scripts = []string{"chart"}
	p.Charts = gpuCharts(d, names, q.Each, gpuMarks(d))
	p.Used = gpuUsageLines(d)
	p.Download = GPUQuery{q.Window, false}.url("/gpu/readings.otlp.json")
	for _, r := range d.Runs {
		p.Runs = append(p.Runs, GPURunLine{
			Model: visible(r.Model), Href: RunURL(r.ID), Tests: plural(r.Tests, "test"),
			From: Moment{ISO: r.From.UTC().Format(time.RFC3339), Text: r.From.UTC().Format("2 Jan 2006, 15:04:05 UTC")},
			Took: unit.Seconds(new(r.To.Sub(r.From).Seconds())),
		})
	}
	return p
}

func newGPUCard(g *GPU, d GPUData) GPUCard {
	whole := func(v *float64, name string) string {
		if v == nil {
			return unit.Absent
		}
		return strconv.FormatFloat(*v, 'f', 0, 64) + name
	}
	c := GPUCard{
		ID: visible(g.ID), Name: visible(g.Name), Error: visible(g.Error),
		Utilization: whole(g.number(gpuUtilization), " %"), UtilizationBar: part(g.number(gpuUtilization), new(100.0)),
		Memory: unit.MiB(g.number(gpuMemoryUsed)), MemoryBar: part(g.number(gpuMemoryUsed), g.number(gpuMemoryTotal)),
		Temperature: unit.Celsius(g.number(gpuTemperature)),
		Power:       whole(g.number(gpuPower), " W"), PowerBar: part(g.number(gpuPower), g.number(gpuPowerLimit)),
	}
	if total := g.number(gpuMemoryTotal); total != nil {
		c.Memory += " of " + unit.MiB(total)
	}
	if limit := g.number(gpuPowerLimit); limit != nil {
		c.Power += " of " + whole(limit, " W")
	}
	if t := g.number(gpuTemperature); t != nil && *t >= 90 {
		c.Heat = "hot"
	} else if t != nil && *t >= 80 {
		c.Heat = "warm"
	}
	if sm := g.number(gpuSMClock); sm != nil {
		c.Clocks = whole(sm, " MHz") + ", memory " + whole(g.number(gpuMemoryClock), " MHz")
	}
	for _, reason := range g.Throttle {
		if words := throttleWords[reason]; words != "" {
			c.Throttle = strings.TrimPrefix(c.Throttle+", "+words, ", ")
		}
	}
	c.Spark, c.SparkLabel = spark(g, d)
	for _, f := range d.Fields {
		if v := g.number(f.Name); v != nil {
			c.Numbers = append(c.Numbers, GPUNumber{f.Name, strings.TrimSpace(unit.Exact(new(round3(*v))) + " " + strings.Trim(f.Unit, "{}")), f.Doc})
		}
	}
	switch {
	case g.Processes == nil:
		c.NoProcesses = "The device does not tell which programs use it."
	case len(g.Processes) == 0:
		c.NoProcesses = "No program uses it."
	}
	for _, one := range g.Processes {
		c.Processes = append(c.Processes, GPUProcessLine{strconv.Itoa(one.PID), visible(one.Name), unit.MiB(one.MemoryMiB), whole(one.Utilization, " %")})
	}
	for _, name := range g.Instances {
		c.Instances = append(c.Instances, visible(name))
	}
	return c
}

// throttleWords say why clocks are held down, by NVML's reasons; what slows
// nothing down that wants to run is not among them.
var throttleWords = map[string]string{
	"sw_power_cap": "power limit", "hw_power_brake_slowdown": "power brake", "hw_slowdown": "slowed by the board",
	"sw_thermal_slowdown": "heat", "hw_thermal_slowdown": "heat, by the board", "sync_boost": "in step with other GPUs",
	"display_clock_setting": "display", "board_limit": "board limit", "reliability": "voltage",
}

func round3(v float64) float64 { return float64(int64(v*1000+0.5)) / 1000 }

// part is v as percent of a whole, "" where either is not known.
func part(v, whole *float64) string {
	if v == nil || whole == nil || *whole <= 0 {
		return ""
	}
	return strconv.FormatFloat(min(max(100**v / *whole, 0), 100), 'f', 1, 64)
}

// spark draws power over the last minutes in a box of 100 by 24, from nothing to the
// limit or the highest.
func spark(g *GPU, d GPUData) (points, label string) {
	if len(d.Lately) < 2 {
		return "", ""
	}
	first, last := d.Lately[0].At, d.Lately[len(d.Lately)-1].At
	highest, lowest, most := 1.0, 0.0, 0.0
	if limit := g.number(gpuPowerLimit); limit != nil {
		highest = *limit
	}
	type point struct{ x, watts float64 }
	var list []point
	for _, r := range d.Lately {
		k := slices.IndexFunc(r.GPUs, func(o GPU) bool { return o.ID == g.ID })
		if k < 0 {
			continue
		}
		if w := r.GPUs[k].number(gpuPower); w != nil {
			if len(list) == 0 {
				lowest = *w
			}
			list = append(list, point{100 * r.At.Sub(first).Seconds() / last.Sub(first).Seconds(), *w})
			highest, lowest, most = max(highest, *w), min(lowest, *w), max(most, *w)
		}
	}
	if len(list) < 2 {
		return "", ""
	}
	var b strings.Builder
	for _, one := range list {
		fmt.Fprintf(&b, "%.1f,%.1f ", one.x, 23-22*one.watts/highest)
	}
	return strings.TrimSpace(b.String()), fmt.Sprintf("Power over the last %s: %s to %s", unit.Seconds(new(last.Sub(first).Seconds())), unit.Watts(&lowest), unit.Watts(&most))
}

// named is how many marks have room for their names.
const named = 12

// gpuMarks are the tests that ran in the window, or where those are many the runs.
func gpuMarks(d GPUData) (marks []chart.Mark) {
	for _, r := range d.Runs {
		for _, m := range r.Marks {
			if m.To.After(d.From) && m.From.Before(d.To) {
				marks = append(marks, chart.Mark{Name: visible(m.Name), From: later(m.From, d.From), To: earlier(m.To, d.To)})
			}
		}
	}
	if len(marks) > 0 && len(marks) <= named {
		return marks
	}
	marks = nil
	for _, r := range d.Runs {
		marks = append(marks, chart.Mark{Name: visible(r.Model), From: later(r.From, d.From), To: earlier(r.To, d.To)})
	}
	return marks
}

// gpuNames lists the GPUs of readings by id, with the names that charts give them.
func gpuNames(readings []GPUReading) (list []GPU) {
	for _, r := range readings {
		for _, g := range r.GPUs {
			if !slices.ContainsFunc(list, func(o GPU) bool { return o.ID == g.ID }) {
				list = append(list, GPU{ID: g.ID, Name: "GPU " + visible(g.ID)})
			}
		}
	}
	return list
}

// gpuCharts draws power, utilisation, memory and temperature. Power and memory of
// several GPUs add up; of the others, mean and highest are drawn.
func gpuCharts(d GPUData, gpus []GPU, each bool, marks []chart.Mark) (list []chart.Chart) {
	for _, m := range []struct {
		id, title, field, unit string
		factor                 float64
		adds                   bool
		write                  func(*float64) string
	}{
		{"chart-gpu-power", "Power", gpuPower, "W", 1, true, unit.Watts},
		{"chart-gpu-utilization", "Utilisation", gpuUtilization, "%", 1, false, unit.Percent},
		{"chart-gpu-memory", "Memory in use", gpuMemoryUsed, "GiB", 1. / 1024, true, func(v *float64) string {
			if v == nil {
				return unit.Absent
			}
			return unit.MiB(new(*v * 1024))
		}},
		{"chart-gpu-temperature", "Temperature", gpuTemperature, "°C", 1, false, unit.Celsius},
	} {
		var lines []chart.Line
		value := func(g *GPU) *float64 {
			v := g.number(m.field)
			if v == nil {
				return nil
			}
			return new(*v * m.factor)
		}
		switch {
		case each || len(gpus) == 1:
			for _, g := range gpus {
				l := chart.Line{Name: g.Name}
				for _, r := range d.Readings {
					if k := slices.IndexFunc(r.GPUs, func(o GPU) bool { return o.ID == g.ID }); k >= 0 {
						l.Points = append(l.Points, chart.Point{At: r.At, Value: value(&r.GPUs[k])})
					}
				}
				lines = append(lines, l)
			}
		case m.adds:
			lines = []chart.Line{together("All GPUs", d.Readings, value, func(sum, _ float64, _ int) float64 { return sum })}
		default:
			lines = []chart.Line{
				together("Mean", d.Readings, value, func(sum, _ float64, n int) float64 { return sum / float64(n) }),
				together("Highest", d.Readings, value, func(_, highest float64, _ int) float64 { return highest }),
			}
		}
		if slices.ContainsFunc(lines, func(l chart.Line) bool {
			return slices.ContainsFunc(l.Points, func(p chart.Point) bool { return p.Value != nil })
		}) {
			list = append(list, chart.OverTime(m.id, m.title, m.unit, m.write, d.From, d.To, lines, marks))
		}
	}
	return list
}

// together makes one line of what all GPUs said.
func together(name string, readings []GPUReading, value func(*GPU) *float64, of func(sum, highest float64, n int) float64) chart.Line {
	l := chart.Line{Name: name}
	for _, r := range readings {
		sum, highest, n := 0.0, 0.0, 0
		for k := range r.GPUs {
			if v := value(&r.GPUs[k]); v != nil {
				sum, highest, n = sum+*v, max(highest, *v), n+1
			}
		}
		point := chart.Point{At: r.At}
		if n > 0 {
			point.Value = new(of(sum, highest, n))
		}
		l.Points = append(l.Points, point)
	}
	return l
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// gpuUsageLines says what each GPU used, and all of them.
func gpuUsageLines(d GPUData) (list []GPUUsageLine) {
	total, known := 0.0, 0
	for _, u := range d.Used {
		l := GPUUsageLine{Name: "GPU " + visible(u.ID) + ", " + visible(u.Name), Energy: unit.Absent, Cost: unit.Absent, Mean: unit.Absent, How: "its power is not known"}
		joules := u.Integral
		switch {
		case u.Counter != nil && u.Integral != nil && max(*u.Counter-*u.Integral, *u.Integral-*u.Counter) > 0.05**u.Counter:
			joules = u.Counter
			l.How = "its energy counter; power over time says " + unit.Energy(new(*u.Integral/3600))
		case u.Counter != nil:
			joules, l.How = u.Counter, "its energy counter"
		case u.Integral != nil:
			l.How = "power over time"
		}
		if u.Integral != nil && u.Known > 0 {
			l.Mean = unit.Watts(new(*u.Integral / u.Known.Seconds()))
		}
		if joules != nil {
			l.Energy, l.Cost = unit.Energy(new(*joules/3600)), unit.USD(new(*joules/3.6e6*d.Tariff))
			total, known = total+*joules, known+1
		}
		list = append(list, l)
	}
	if known > 1 {
		list = append(list, GPUUsageLine{Name: "All", Energy: unit.Energy(new(total / 3600)), Cost: unit.USD(new(total / 3.6e6 * d.Tariff)), How: plural(known, "GPU"), Total: true})
	}
	return list
}
