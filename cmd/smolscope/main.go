// Command smolscope turns what an evaluation of LLM agents left behind into
// enriched datasets, and serves a dashboard over them.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
