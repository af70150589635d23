package decode

import (
	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// resources hands out one Resource for all that say the same. They are found
// by how they were written, so that one that came before is not read again,
// and by what they say.
type resources struct {
	written map[string]*enrich.Resource
	said    map[string]*enrich.Resource
}

// maxWritten bounds the spellings remembered; resources are few in real files.
const maxWritten = 1024

// resource reads {"attributes":{…}}. An empty object is no resource.
func (d *decoder) resource() *enrich.Resource {
	switch d.s.kind() {
	case objectKind:
	case stringKind:
		var r *enrich.Resource
		d.within("resource", objectKind, func() { r = d.resource() })
		return r
	default:
		d.nullOr("resource", "an object with attributes")
		return nil
	}
	raw := d.s.raw()
	if d.s.err != nil {
		return nil
	}
	if r, ok := d.resources.written[string(raw)]; ok {
		return r
	}
	outer := d.s
	line := outer.line(outer.pos)
	written := string(raw)
	d.s = d.textScanner([]byte(written))
	d.s.onLine = line
	r := d.resourceObject()
	d.s = outer
	if len(d.resources.written) < maxWritten {
		if d.resources.written == nil {
			d.resources.written = make(map[string]*enrich.Resource)
		}
		d.resources.written[written] = r
	}
	return r
}

func (d *decoder) resourceObject() (r *enrich.Resource) {
	d.s.enter()
	for key, ok := d.s.nextKey(); ok; key, ok = d.s.nextKey() {
		if string(key) != "attributes" {
			d.s.skip()
			continue
		}
		if d.s.kind() == nullKind {
			d.s.null() // a struct column fills {} with it
			continue
		}
		r = &enrich.Resource{Attrs: d.attributes("resource attributes")}
	}
	if r == nil {
		return nil
	}
	return d.resources.shared(r)
}

// shared returns the first resource that said what r says.
func (rs *resources) shared(r *enrich.Resource) *enrich.Resource {
	text := string(r.Attrs.AppendJSON(nil))
	if first, ok := rs.said[text]; ok {
		return first
	}
	if rs.said == nil {
		rs.said = make(map[string]*enrich.Resource)
	}
	rs.said[text] = r
	return r
}

// service returns the resource of which only the service's name is known.
func (rs *resources) service(name string) *enrich.Resource {
	return rs.shared(&enrich.Resource{Attrs: attr.Set{{Key: "service.name", Value: attr.StringValue(name)}}})
}
