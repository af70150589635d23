package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smolscope/enrich"
	"smolscope/enrich/decode"
)

func TestRecord(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gpu.otlp.json")
	record := func(args ...string) (status int, out, log string) {
		var stdout, stderr bytes.Buffer
		status = run(t.Context(), append([]string{"record"}, args...), strings.NewReader("input"), &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	status, out, log := record("--gpu", "sim", "--gpu-every", "100ms", "--run-id", "r 1", "-o", name, "--", "sh", "-c", "cat; sleep 0.35; exit 3")
	if status != 3 || out != "input" || !strings.Contains(log, "GPU readings written to "+name) || !strings.Contains(log, "simulated H100 80GB: ") {
		t.Fatalf("status %d, out %q, log %q", status, out, log)
	}
	body, err := os.ReadFile(name)
	if err != nil || !json.Valid(body) {
		t.Fatalf("no JSON was written: %v", err)
	}
	part, receipt := decode.Read("gpu.otlp.json", bytes.NewReader(body))
	if part == nil || receipt.Error != nil {
		t.Fatalf("we cannot read it: %+v", receipt)
	}
	runs := enrich.Assemble([]*enrich.Part{part})
	if len(runs) != 1 {
		t.Fatalf("%d runs of it", len(runs))
	}
	if row := enrich.Enrich(runs[0], enrich.DefaultOptions()).Leaderboard; row.RunID != "r 1" || row.TotalGPUEnergyWh == nil {
		t.Errorf("run %q used %v Wh", row.RunID, row.TotalGPUEnergyWh)
	}
	t.Chdir(t.TempDir())
	if _, _, log := record("--gpu", "sim", "--gpu-every", "100ms", "-o", name, "--", "sleep", "0.25"); !strings.Contains(log, name+" is there already") {
		t.Errorf("a file that is there: %q", log)
	}
	if again, _ := os.ReadFile(name); !bytes.Equal(again, body) {
		t.Error("a file that was there has changed")
	}
	if status, out, log := record("--gpu", "off", "--", "echo", "done"); status != 0 || out != "done\n" || !strings.Contains(log, "no GPU readings were written: GPU readings are switched off") {
		t.Errorf("without GPUs: status %d, out %q, log %q", status, out, log)
	}
	if status, _, log := record("--gpu", "sim"); status == 0 || log == "" {
		t.Errorf("without a command: status %d, log %q", status, log)
	}
	if status, _, _ := record("--gpu", "off", "--", "sh", "-c", "kill -TERM $$"); status != 128+15 {
		t.Errorf("a command that was killed: status %d, want 143", status)
	}
	if status, _, log := record("--gpu", "off", "--", filepath.Join(t.TempDir(), "none")); status != no || log == "" {
		t.Errorf("a command that is not there: status %d, log %q", status, log)
	}
}
