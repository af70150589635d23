package gpu

// Energy is the metric of the energy counter. genai_otel has none; this is
// OpenTelemetry's, of its conventions for hardware.
const Energy = "hw.energy"

// A Field is one number that a GPU can say of itself.
type Field struct {
	Name    string // in JSON; as a column of SMOLTRACE's flattened metrics where it has one
	Metric  string // genai_otel's name of the same number in the same unit, else OpenTelemetry's; "" if neither has one
	Unit    string // as OpenTelemetry writes it
	Counter bool   // only grows, until the driver is loaded again
	Doc     string
	Ptr     func(*GPU) **float64
}

// Fields are the numbers of a GPU, in the order of the struct.
var Fields = []Field{
	{"gpu_utilization_percent", "gen_ai.gpu.utilization", "%", false, "Part of the driver's last sample period in which a kernel ran. No GPU says it while MIG is on.", func(g *GPU) **float64 { return &g.Utilization }},
	{"gpu_memory_used_mib", "gen_ai.gpu.memory.used", "MiB", false, "Allocated memory, without what the driver reserves (older drivers count that in).", func(g *GPU) **float64 { return &g.MemoryUsedMiB }},
	{"gpu_memory_total_mib", "gen_ai.gpu.memory.total", "MiB", false, "All memory of the device.", func(g *GPU) **float64 { return &g.MemoryTotalMiB }},
	{"gpu_memory_utilization_percent", "gen_ai.gpu.memory.utilization", "%", false, "Part of the driver's last sample period in which memory was read or written.", func(g *GPU) **float64 { return &g.MemoryUtilization }},
	{"gpu_temperature_celsius", "gen_ai.gpu.temperature", "Cel", false, "Temperature of the chip.", func(g *GPU) **float64 { return &g.Temperature }},
	{"gpu_power_watts", "gen_ai.gpu.power", "W", false, "Power drawn by the whole board: the mean of a second from Ampere on (but for GA100), at the moment before.", func(g *GPU) **float64 { return &g.PowerWatts }},
	{"gpu_power_limit_watts", "gen_ai.gpu.power.limit", "W", false, "Power limit that is enforced, of all that apply.", func(g *GPU) **float64 { return &g.PowerLimitWatts }},
	{"gpu_energy_joules", Energy, "J", true, "Energy used since the driver was loaded, by the device's own counter (Volta and later).", func(g *GPU) **float64 { return &g.EnergyJoules }},
	{"gpu_clock_sm_mhz", "gen_ai.gpu.clock.sm", "MHz", false, "Clock of the multiprocessors.", func(g *GPU) **float64 { return &g.SMClockMHz }},
	{"gpu_clock_memory_mhz", "gen_ai.gpu.clock.memory", "MHz", false, "Clock of the memory.", func(g *GPU) **float64 { return &g.MemoryClockMHz }},
	{"gpu_fan_speed_percent", "gen_ai.gpu.fan.speed", "%", false, "Speed that the fan is told to run at. Boards without a fan have none.", func(g *GPU) **float64 { return &g.FanSpeed }},
	{"gpu_performance_state", "gen_ai.gpu.performance.state", "", false, "P-state, from 0, the fastest, to 15.", func(g *GPU) **float64 { return &g.PerformanceState }},
	{"gpu_pcie_tx_kb_per_second", "gen_ai.gpu.pcie.tx", "KB/s", false, "Sent over PCIe, in a sample of 20 ms that is at most 15 s old.", func(g *GPU) **float64 { return &g.PCIeTx }},
	{"gpu_pcie_rx_kb_per_second", "gen_ai.gpu.pcie.rx", "KB/s", false, "Received over PCIe, likewise.", func(g *GPU) **float64 { return &g.PCIeRx }},
	{"gpu_ecc_errors_corrected", "gen_ai.gpu.ecc.errors.corrected", "{error}", true, "Memory errors that ECC has corrected since the driver was loaded.", func(g *GPU) **float64 { return &g.ECCCorrected }},
	{"gpu_ecc_errors_uncorrected", "gen_ai.gpu.ecc.errors.uncorrected", "{error}", true, "Memory errors that ECC could not correct since the driver was loaded.", func(g *GPU) **float64 { return &g.ECCUncorrected }},
	{"gpu_xid_errors", "", "{error}", true, "Xid errors that the driver has told of since the source was opened.", func(g *GPU) **float64 { return &g.XIDErrors }},
	{"gpu_xid_last", "", "", false, "Number of the latest of these errors, as NVIDIA's list of Xid errors has it.", func(g *GPU) **float64 { return &g.LastXID }},
}
