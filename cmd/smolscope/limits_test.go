package main

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"smolscope/enrich/decode"
)

// TestLimitDefaults compares the defaults of the flags with those of the reader.
func TestLimitDefaults(t *testing.T) {
	var flags limitFlags
	parser := kong.Must(&flags, kong.Writers(io.Discard, io.Discard))
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if got, want := flags.limits(), decode.DefaultLimits(); got != want {
		t.Errorf("flags say %+v, the reader %+v", got, want)
	}
}

func TestLimitFlagsRefused(t *testing.T) {
	bareEnvironment(t)
	for flag, want := range map[string]string{
		"--max-depth=10001": "want a number from 1 to 10000",
		"--max-depth=0":     "want a number from 1 to 10000",
		"--max-ratio=0":     "want a number, 1 or more",
		"--max-entries=-1":  "want a number, 1 or more",
		"--max-value=0":     "want a number of bytes",
	} {
		var stderr strings.Builder
		if exit := run(t.Context(), []string{"enrich", flag, "x"}, nil, io.Discard, &stderr); exit != wrongUsage || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit status %d, %q, want %d and %q", flag, exit, &stderr, wrongUsage, want)
		}
	}
}
