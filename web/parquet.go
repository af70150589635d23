//go:build js && wasm && parquet

package main

import (
	"smolscope/enrich/decode/parquet"
)

func init() { containers = append(containers, parquet.Format) }
