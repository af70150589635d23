package price

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Form is one way to write a model's name, and how it was made.
type Form struct {
	How  string // Exact, Canonical, NoProvider, NoDate or VersionForm
	Name string
}

var (
	regions     = []string{"us.", "eu.", "apac.", "global.", "jp.", "au."}
	revision    = regexp.MustCompile(`-v\d+(:\d+)?$`)
	vendors     = regexp.MustCompile(`^(ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|stability|twelvelabs|writer)\.`)
	dateTail    = regexp.MustCompile(`-(\d{8}|\d{4}-\d{2}-\d{2}|\d{4})$`)
	dotted      = regexp.MustCompile(`(\d)\.(\d)`)
	dashed      = regexp.MustCompile(`(\d)-(\d)`)
	dateLayouts = map[int]string{8: "20060102", 10: time.DateOnly}
)

// Forms returns the forms of a model's name to look for, in the order of spec
// §3.8, each once. What tells one model from another is never taken away: not
// -mini, -preview, -audio, a size, nor the tag of an Ollama model.
func Forms(model string) []Form {
	var forms []Form
	add := func(how, name string) {
		if name != "" && !slices.ContainsFunc(forms, func(f Form) bool { return f.Name == name }) {
			forms = append(forms, Form{how, name})
		}
	}
	add(Exact, clean(model))
	for _, name := range canonical(clean(model)) {
		add(Canonical, name)
	}
	for _, f := range slices.Clone(forms) {
		name := f.Name
		for {
			_, rest, found := strings.Cut(name, "/")
			if !found {
				break
			}
			name = rest
			add(NoProvider, name)
		}
		add(NoProvider, vendors.ReplaceAllString(name, ""))
	}
	for _, f := range slices.Clone(forms) {
		add(NoDate, withoutDate(f.Name))
	}
	for _, f := range slices.Clone(forms) {
		add(VersionForm, swap(dotted, f.Name, "$1-$2"))
		add(VersionForm, swap(dashed, f.Name, "$1.$2"))
	}
	return forms
}

func clean(model string) string { return strings.ToLower(strings.TrimSpace(model)) }

// canonical returns a name in fewer and fewer of the spellings that only Vertex
// AI and Bedrock have: the @ of a version, the revision, the region.
func canonical(name string) []string {
	name = strings.ReplaceAll(name, "@", "-")
	bare := revision.ReplaceAllString(name, "")
	names := []string{name, bare}
	for _, n := range []string{name, bare} {
		path, last := n[:strings.LastIndex(n, "/")+1], n[strings.LastIndex(n, "/")+1:]
		for _, region := range regions {
			if rest, ok := strings.CutPrefix(last, region); ok {
				names = append(names, path+rest)
				break
			}
		}
	}
	return names
}

// withoutDate removes the date of a release, or -latest, from a name's end.
func withoutDate(name string) string {
	if rest, ok := strings.CutSuffix(name, "-latest"); ok {
		return rest
	}
	loc := dateTail.FindStringIndex(name)
	if loc == nil {
		return name
	}
	date := name[loc[0]+1:]
	layout, full := dateLayouts[len(date)]
	if !full { // a month and a day, of a leap year so that 0229 is one
		layout, date = "20060102", "2024"+date
	}
	if _, err := time.Parse(layout, date); err != nil {
		return name
	}
	return name[:loc[0]]
}

// swap replaces until nothing is left to, since 1.2.3 has two dots but one match.
func swap(pattern *regexp.Regexp, name, with string) string {
	for {
		next := pattern.ReplaceAllString(name, with)
		if next == name {
			return name
		}
		name = next
	}
}
