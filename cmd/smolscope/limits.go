package main

import (
	"fmt"

	"smolscope/enrich/decode"
)

// limitFlags bound what files may unpack to and hold, the same for every command
// that reads them.
type limitFlags struct {
	MaxUnpacked       size  `default:"8GiB" help:"Most bytes that one compressed file, or one file of an archive, may unpack to."`
	MaxUnpackedUpload size  `default:"16GiB" help:"Most bytes that all files that come together may unpack to."`
	MaxRatio          int64 `default:"250" help:"How many times its size packed data may unpack to, behind the first 64 MiB."`
	MaxEntries        int   `default:"10000" help:"Most files in the archives that come together."`
	MaxDepth          int   `default:"256" help:"Most lists and objects within one another, up to 10000."`
	MaxValue          size  `default:"64MiB" help:"Most bytes of one text or attribute."`
	MaxRow            size  `default:"64MiB" help:"Most bytes of a row of a table, or of a span or metric in protobuf."`
}

// validate is for the Validate of each command; see enrichFlags.
func (f *limitFlags) validate() error {
	const deepest = 10_000 // reading goes as deep as the text does
	if f.MaxDepth < 1 || f.MaxDepth > deepest {
		return fmt.Errorf("--max-depth %d: want a number from 1 to %d", f.MaxDepth, deepest)
	}
	if f.MaxRatio < 1 {
		return fmt.Errorf("--max-ratio %d: want a number, 1 or more", f.MaxRatio)
	}
	if f.MaxEntries < 1 {
		return fmt.Errorf("--max-entries %d: want a number, 1 or more", f.MaxEntries)
	}
	return nil
}

// limits returns the limits as the reader takes them.
func (f *limitFlags) limits() decode.Limits {
	return decode.Limits{
		Unpacked: int64(f.MaxUnpacked), Upload: int64(f.MaxUnpackedUpload), Ratio: f.MaxRatio, Entries: f.MaxEntries,
		Depth: f.MaxDepth, Value: int64(f.MaxValue), Row: int64(f.MaxRow),
	}
}
