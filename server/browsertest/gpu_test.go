package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestGPU looks at simulated GPUs: the strip of every page, the page of the GPUs,
// which changes in place, and its charts.
func TestGPU(t *testing.T) {
	p := open(t, serve(t, "--gpu", "sim:gpus=2"))
	p.visit("/")
	p.awaits(`!document.querySelector("[data-gpu-strip]").hidden`)
	p.awaits(`/^simulated · 2 GPUs · \d+ % · [\d,]+ W · \d+ °C$/.test(document.querySelector("[data-gpu-strip]").innerText.trim())`)
	eval[bool](p, `(document.querySelector("[data-gpu-strip]").click(), true)`)
	p.awaits(`location.pathname === "/gpu" && document.querySelectorAll(".gpu-card").length === 2`)
	p.sees("simulated H100 80GB", "simulated RTX 4090", "s ago", "Energy since")
	eval[bool](p, `(window.here = true)`)
	p.awaits(`document.querySelectorAll("[data-chart] canvas").length === 4`)
	eval[string](p, `(window.before = document.querySelector(".gpu-card").innerText + document.getElementById("chart-gpu-power").textContent)`)
	p.awaits(`document.querySelector(".gpu-card").innerText + document.getElementById("chart-gpu-power").textContent !== window.before`)
	if !eval[bool](p, `window.here === true`) {
		t.Error("the page was loaded anew")
	}
	fit(p, map[string]string{"gpu": "/gpu", "gpu-each": "/gpu?window=1m&view=each"})
}

// TestGPUGone lets readings stop without a word, as a driver that hangs does, by a
// recording with a gap: the page greys within five seconds, and comes back by itself.
func TestGPUGone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gap.jsonl")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewEncoder(file)
	for _, second := range []int{0, 1, 2, 3, 14, 15, 16, 17, 18, 19, 20} {
		lines.Encode(map[string]any{
			"time": time.Unix(1_800_000_000+int64(second), 0).UTC(), "source": "nvml",
			"gpus": []any{map[string]any{"gpu_id": "0", "gpu_name": "NVIDIA Test", "gpu_power_watts": 50 + second}},
		})
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	p := open(t, serve(t, "--gpu", "replay:"+name))
	p.visit("/gpu")
	stale := `document.querySelector("[data-gpu-cards]")?.classList.contains("gpus--stale")`
	p.awaits(`!(` + stale + `) && document.querySelector(".gpu-card")`)
	p.awaits(stale)
	age := eval[string](p, `document.querySelector("[data-gpu-age]").innerText`)
	var seconds float64
	if fmt.Sscanf(age, "%f s ago", &seconds); seconds < 4 || seconds > 5 {
		t.Errorf("the page greys when the reading is %q old, want just before 5 s", age)
	}
	if !eval[bool](p, `document.querySelector("[data-gpu-strip]").classList.contains("gpu-strip--stale")`) {
		t.Error("the strip is as fresh as ever")
	}
	p.awaits(`!(` + stale + `)`)
}

// TestDriverGone has the driver fail for 12 of 20 s: the page is grey, and says why,
// before the last reading is 5 s old, and comes back by itself.
func TestDriverGone(t *testing.T) {
	p := open(t, serve(t, "--gpu", "sim:outage=12"))
	p.visit("/gpu")
	const cards = `document.querySelector("[data-gpu-cards]")`
	grey := cards + `?.classList.contains("gpus--stale")`
	age := `Number(/([\d.]+) s ago/.exec(document.querySelector("[data-gpu-age]").innerText)[1])`
	p.awaits(cards + ` && !` + grey)
	p.awaits(grey + ` && document.body.innerText.includes("the simulated driver is away")`)
	if got := eval[float64](p, age); got > 5 {
		t.Errorf("grey when the reading is %v s old, want within 5 s", got)
	}
	p.awaits(age + ` > 4`)
	if !eval[bool](p, `!!(`+grey+`)`) {
		t.Error("the page is in colour again while the driver is away")
	}
	p.awaits(`!` + grey + ` && !document.body.innerText.includes("the simulated driver is away")`)
}

// TestTabs opens ten tabs, which share one stream: each still gets answers.
func TestTabs(t *testing.T) {
	base := serve(t, "--gpu", "sim")
	first := open(t, base)
	tabs := []*tab{first}
	for range 9 {
		tabs = append(tabs, first.another())
	}
	for _, p := range tabs {
		p.visit("/gpu")
	}
	var slowest float64
	for i, p := range tabs {
		eval[bool](p, `((async () => {
			const asked = performance.now(), { status } = await fetch("/healthz", { cache: "no-store" });
			window.answer = { status, took: performance.now() - asked };
		})(), true)`)
		p.awaits(`window.answer`)
		if status := eval[int](p, `window.answer.status`); status != 200 {
			t.Errorf("tab %d: status %d", i, status)
		}
		slowest = max(slowest, eval[float64](p, `window.answer.took`))
	}
	t.Logf("the slowest of ten tabs waited %.1f ms for an answer", slowest)
}
