package browsertest

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreviewOfLargeFile drops 50 MB of long texts: the page goes on answering while
// they are read. How fast that is, -v says.
func TestPreviewOfLargeFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "traces.json")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	text := strings.Repeat("The agent looked at the page and found nothing that it had asked for. ", 300)
	fmt.Fprint(out, "[")
	const traces = 1200 // of 42 kB
	for i := range traces {
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		start := 1_761_146_400_000_000_000 + int64(i)*2_000_000_000
		fmt.Fprintf(out, `{"trace_id":"0x%x","run_id":"large","spans":[{"trace_id":"0x%x","span_id":"0x1","parent_span_id":null,"name":"test","start_time":%d,"end_time":%d,
			"attributes":{"test.id":"t%d","openinference.span.kind":"TEST","input.value":%q},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"},
			{"trace_id":"0x%x","span_id":"0x2","parent_span_id":"0x1","name":"call","start_time":%d,"end_time":%d,
			"attributes":{"openinference.span.kind":"LLM","llm.model_name":"gpt-4o-mini","llm.token_count.prompt":"900","llm.token_count.completion":"40","output.value":%q},"events":[],"status":{"code":"OK"},"kind":"INTERNAL"}]}`,
			i+1, i+1, start, start+1_500_000_000, i, text, i+1, start+1_000_000, start+1_400_000_000, text)
	}
	fmt.Fprint(out, "]")
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	size, _ := file.Seek(0, 1)
	file.Close()

	p := open(t, serve(t))
	p.visit("/")
	eval[bool](p, `(() => {
		window.frames_ = []; let last = performance.now();
		const tick = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(tick); };
		requestAnimationFrame(tick);
		addEventListener("drop", () => { window.frames_ = []; window.dropped = performance.now(); }, true);
		new MutationObserver(() => { if (location.hash) window.opened ??= performance.now(); }).observe(document, { subtree: true, childList: true });
		return true;
	})()`)
	p.drop(name)
	p.previewsAt("/runs/large")
	if tests := eval[string](p, previewed+`.querySelector(".sub").textContent`); !strings.Contains(tests, fmt.Sprintf("%d,%03d tests", traces/1000, traces%1000)) {
		t.Errorf("the preview shows %q, want %d tests", tests, traces)
	}
	took := eval[float64](p, `window.opened - window.dropped`)
	t.Logf("%.1f MB in %.0f ms: %.0f MB/s; longest frame %.0f ms", float64(size)/1e6, took, float64(size)/1e3/took,
		eval[float64](p, `Math.max(...window.frames_.slice(0, -1))`))
}
