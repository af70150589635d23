package decode

// OpenSearch's answers, dumps and bulk files (spec §1.9) hold documents, which
// are rows of whatever kind; a file may mix them.

// searchHits reads {"hits":{"hits":[{"_source":{…}}]}}, the answer to a search.
func (d *decoder) searchHits() {
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		switch k := d.s.kind(); {
		case string(key) == "hits" && k == objectKind:
			d.searchHits()
		case string(key) == "hits" && k == listKind:
			d.key = "hits"
			d.objects("hits", d.searchHit)
		default:
			d.s.skip()
		}
	}
}

// searchHit reads {"_index":…,"_source":{…}}, an answer by itself, which dumps
// have one of a line.
func (d *decoder) searchHit() {
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if string(key) == "_source" && d.s.kind() == objectKind {
			d.object(nil)
		} else {
			d.s.skip()
		}
	}
}

// bulkAction reads the line of a bulk file that says what to do with the
// document on the next.
func (d *decoder) bulkAction() {
	d.skipped = "holds actions of OpenSearch without their documents"
	d.s.skip()
}

// only reads an object whose members are what counts: Tempo's trace, and the
// result of Jaeger's API v3.
func (d *decoder) only() {
	d.s.enter()
	for _, ok := d.s.nextKey(); ok; _, ok = d.s.nextKey() {
		if d.s.kind() == objectKind {
			d.object(nil)
		} else {
			d.s.skip()
		}
	}
}
