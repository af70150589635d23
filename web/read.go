//go:build js && wasm

package main

import (
	"encoding/json"
	"io"
	"path"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/decode"
	"smolscope/enrich/price"
	"smolscope/views"
)

// containers are the formats that this build reads besides decode's own.
var containers []decode.Container

// A preview is what was made of the files that were dropped.
type preview struct {
	settings views.PreviewSettings
	files    []enrich.File
	runs     []*enrich.Tables
}

// options are what runs are enriched with: what the server would.
func (p *preview) options() enrich.Options {
	o := enrich.Options{Prices: price.Builtin(), ElectricityUSDPerKWh: p.settings.ElectricityUSDPerKWh, CarbonGPerKWh: p.settings.CarbonGPerKWh}
	var own []price.Row
	_ = json.Unmarshal(p.settings.Prices, &own) // the server wrote them
	o.Prices = o.Prices.With(own)
	return o
}

// read reads the files and derives their runs, and returns the path of the page
// to open: the run's if there is one and nothing is to be said of a file, else
// the receipt's.
func (p *preview) read(files []file, settings string) string {
	_ = json.Unmarshal([]byte(settings), &p.settings) // the server wrote them
	reader := decode.NewReader(decode.Limits{}, containers...)
	var parts []*enrich.Part
	came := map[[2]string]bool{} // folder and SHA-256
	for _, f := range files {
		name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(f.name, `\`, "/")), "/")
		hold := func(io.Reader) (io.ReaderAt, int64, error) { return f, f.size, nil }
		others, err := reader.Unpack(name, f.stream(), hold, func(name string, r io.Reader) error {
			part, receipt := reader.Read(name, r)
			folder := path.Dir(name)
			key := [2]string{folder, receipt.SHA256}
			if part != nil && came[key] {
				receipt.Repairs = append(receipt.Repairs, "the same bytes came twice: they count once")
			} else if part != nil {
				if folder != "." {
					part.Group = folder
				}
				parts = append(parts, part)
				came[key] = true
			}
			p.files = append(p.files, receipt)
			return nil
		})
		p.files = append(p.files, others...)
		if err != nil {
			p.files = append(p.files, enrich.File{Name: name, Repairs: []string{}, Warnings: []enrich.Warning{}, Error: new(err.Error())})
		}
	}
	options := p.options()
	for _, run := range enrich.Assemble(parts) {
		p.runs = append(p.runs, enrich.Enrich(run, options))
	}
	p.runs, _ = enrich.Distinct(p.runs)
	for _, left := range enrich.AllLeftOut(p.runs) {
		for i := range p.files {
			if p.files[i].SHA256 == left.Source {
				p.files[i].Warnings = append(p.files[i].Warnings, left.Warning())
			}
		}
	}
	if page := views.NewUploadPage(p.receipt()); page.Open != "" {
		return page.Open
	}
	return receiptPath
}

// receipt says what became of the files.
func (p *preview) receipt() *views.Receipt {
	r := &views.Receipt{Files: p.files}
	for _, t := range p.runs {
		id := t.Leaderboard.RunID
		r.Runs = append(r.Runs, views.ReceiptRun{RunID: id, URL: views.RunURL(id), New: true, Tests: int(t.Leaderboard.NumTests)})
	}
	return r
}
