package views

import (
	"slices"
	"strings"

	"smolscope/enrich"
	"smolscope/enrich/attr"
)

// A Finding is one thing to know about the data before believing a figure, as
// one plain sentence.
type Finding struct {
	Flag     string // name in data_quality, "" for a figure that was corrected
	Title    string
	Sentence string
	Warn     bool // changes how a figure is to be read
	Where    string
	Places   []Place
	Href     string // where the page says what the figures come from, "" for nowhere
}

// A Place is where a finding was made.
type Place struct{ Text, Href string }

// flagText says what each data-quality flag means for the reader (spec §3.17).
var flagText = map[string]struct {
	warn            bool
	title, sentence string
}{
	"tz_unknown":                      {true, "Time zone unknown", "The files give local times without an offset and no span to infer it from, so their times are shown as if they were UTC."},
	"tz_inferred":                     {false, "Time zone inferred", "The files give local times without an offset; it was inferred from the end of the last span."},
	"stored_summary_unverified":       {true, "Taken from a summary", "No trace backs these figures: they are the file's own summary and could not be checked."},
	"duration_inflated":               {true, "Time too long", "Without a trace the time is SMOLTRACE's own, which adds up every span and so counts nested work again, about twice the true time."},
	"unjoined_trace":                  {true, "Trace without a result", "The trace matches no row of the results, so its tokens and errors belong to no test."},
	"unjoined_result":                 {true, "Result without a trace", "The result matches no trace, so its time, tokens and steps cannot be derived from spans."},
	"multi_test_trace":                {true, "Several tests in one trace", "One trace records several tests; it is divided among them by their root spans."},
	"orphan_spans":                    {false, "Spans without their parent", "The parent of some spans is not in the file, as when a call raised before its span was closed; they are shown under the root."},
	"sibling_duplicate":               {false, "Call recorded twice", "Two instrumentations recorded the same call side by side; it is counted once."},
	"duplicate_execution":             {true, "Executed twice", "SMOLTRACE before 0.0.13 ran the task twice in one trace, once streamed and once not; both passes were billed, so tokens, cost and calls count both."},
	"run_id_conflict":                 {true, "Files disagree on the run", "The files name different run ids; the one that most of them name is used."},
	"success_repaired":                {true, "Verdict repaired", "The file leaves the verdict empty although its own parts prove a pass (right tool called, final answer given, no keywords expected); it counts as a pass."},
	"params_vary":                     {false, "Settings changed between calls", "The calls of a test used different sampling settings; those of the first call are shown."},
	"invocation_parameters_truncated": {false, "Settings cut off", "SMOLTRACE cut the call's parameters at 8,192 characters, and the sampling settings stood behind the cut."},
	"tbt_from_chunks":                 {false, "Token pace from chunks", "Time between tokens is the gap between streamed chunks, and a chunk may hold several tokens."},
	"price_fallback":                  {false, "Price of the plain tokens", "The price list has no price of its own for cached or for reasoning tokens of the model; they are priced as prompt or completion tokens, which is too dear for cached ones."},
	"cost_split_scaled":               {false, "Cost parts estimated", "Only the total cost is reported; its parts are those of the price list, scaled so that they sum to it."},
	"cost_components_mismatch":        {true, "Cost parts do not add up", "The reported parts of the cost do not sum to the reported total; the total is kept."},
	"reported_cost_differs":           {true, "Reported cost differs", "The reported cost is more than 20 % away from tokens × price; the reported one is shown, and ours stands in where it comes from."},
	"partial_cost":                    {true, "Cost partly known", "Some calls have no price, so the sum of the others is shown as a lower bound."},
	"steps_derived":                   {false, "Steps counted again", "SMOLTRACE stores 0 steps when a test ends in an error; the steps are counted from the trace's events instead."},
	"tools_derived":                   {false, "Tools from the trace", "The result lists no tools although the trace has tool calls; the trace's are shown."},
	"tool_called_derived":             {false, "Tool use from the trace", "On a test that ended in an error the file always says that no tool was called; the trace says otherwise."},
	"prompt_truncated":                {false, "Question cut off", "Only the first 100 characters of the question were recorded."},
	"power_gap":                       {true, "Gap in the power readings", "GPU power was not recorded for part of the run; what was used meanwhile is left out, so the energy is too low."},
	"power_cost_3_6x":                 {true, "Reported power cost too high", "genai_otel's power cost is 3.6 times too high, because it takes watts × seconds for watt-hours; ours is computed from the power."},
	"energy_disagreement":             {true, "Energy figures disagree", "The energy counter and the power readings differ by more than 20 %, or 5 % where the counter is the GPUs' own; the counter is shown."},
	"co2_corrected":                   {true, "CO₂ corrected", "genai_otel's CO₂ counter takes watts × seconds for watt-hours, so it was divided by 3.6; the GPUs are added up."},
	"co2_from_energy":                 {false, "CO₂ from energy", "The files hold no counter of CO₂: it is the GPU energy × the carbon intensity that is set."},
	"co2_token_estimate":              {true, "CO₂ is an estimate", "CO₂ is SMOLTRACE's constant of 0.0004 g for 1,000 tokens, over tokens counted once; nothing was measured."},
	"multi_gpu_lost_in_flattening":    {true, "Only one GPU recorded", "The metrics name fewer GPUs than the machine has, so power, energy and memory of the others are missing."},
	"api_placeholder_metrics":         {false, "No GPU readings", "The metrics file holds one row of zeros, as SMOLTRACE writes it for API models; it is left out."},
	"job_type_inferred":               {false, "Machine inferred", "The kind of machine was inferred from the name of its GPU."},
	"provider_default_overridden":     {false, "Provider corrected", "The leaderboard row says litellm, its default; the spans show another provider."},
	"duplicate_span_id":               {true, "Span id used twice", "Different spans share one id; the later one was given an id of its own."},
	"results_from_traces":             {false, "Tests made from traces", "There was no results file: one test was made of each trace, without a verdict."},
	"row_id_synthesized":              {false, "Test without an id", "The row names no test; its number in the file stands in for the id."},
	"otlp_snake_case":                 {false, "Unusual OTLP spelling", "The file spells OTLP's keys with underscores, which the standard does not; it was read all the same."},
	"truncated_file":                  {true, "File breaks off", "The file ends in the middle of a value; what stood before it was kept."},
}

// corrections explains, for columns whose stored figure is often wrong, why
// ours differs; subject is how a sentence names the figure.
var corrections = map[string]struct{ title, subject, because string }{
	"total_tokens":        {"Tokens counted once", "tokens", "SMOLTRACE adds the tokens of every span, so an agent span that repeats its calls' tokens counts them again; only the calls themselves are summed here."},
	"avg_tokens_per_test": {"Tokens counted once", "tokens a test", "the mean follows from the tokens counted once."},
	"total_duration_ms":   {"Time counted once", "in all", "SMOLTRACE adds the time of every span, so each level of nesting counts again; a test's time is that of its root span."},
	"avg_duration_ms":     {"Time counted once", "a test", "the mean follows from the time counted once."},
	"execution_time_ms":   {"Time counted once", "for this test", "SMOLTRACE adds the time of every span, so each level of nesting counts again; a test's time is that of its root span."},
	"success_rate":        {"Success recounted", "success", "verdicts that the file left empty, although its own parts prove a pass, count as passes."},
	"avg_steps":           {"Steps recounted", "steps a test", "SMOLTRACE stores 0 steps when a test ends in an error; the trace's events say how many there were."},
	"steps":               {"Steps recounted", "steps", "SMOLTRACE stores 0 steps when a test ends in an error; the trace's events say how many there were."},
	"co2_emissions_g":     {"CO₂ recomputed", "of CO₂", "SMOLTRACE's figure is a constant times its token total, which is too high."},
}

// correctionOrder lists the columns of corrections, totals before their means:
// of columns with the same title the first that differs is told.
var correctionOrder = []string{
	"total_tokens", "gen_ai.usage.total_tokens", "total_duration_ms", "execution_time_ms", "success_rate",
	"avg_steps", "steps", "co2_emissions_g", "total_co2_g", "avg_tokens_per_test", "avg_duration_ms",
}

// corrected makes the findings of the stored figures of one row.
func corrected[R any](columns []enrich.Column[R], row *R, stored map[string]attr.Value, origins map[string]enrich.Origin) []Finding {
	var list []Finding
	for _, name := range correctionOrder {
		was, ok := stored[name]
		if !ok {
			continue
		}
		f, ok := correction(columns, row, name, was, origins[name])
		if ok && !slices.ContainsFunc(list, func(o Finding) bool { return o.Title == f.Title }) {
			list = append(list, f)
		}
	}
	return list
}

// mended says under which corrected figure a flag is told, so that it is told
// once.
var mended = map[string]string{
	"success_repaired": corrections["success_rate"].title,
	"steps_derived":    corrections["steps"].title,
}

// addFlag adds a flag's finding, or joins it to the figure that it mended.
func addFlag(list []Finding, flag string, places []Place) []Finding {
	f := flagFinding(flag, places)
	i := slices.IndexFunc(list, func(o Finding) bool { return o.Title == mended[flag] })
	if i < 0 {
		return append(list, f)
	}
	list[i].Flag, list[i].Places, list[i].Where = flag, f.Places, f.Where
	return list
}

// aliases maps a column to the one of the same meaning that carries its text.
var aliases = map[string]string{
	"gen_ai.usage.total_tokens": "total_tokens",
	"total_co2_g":               "co2_emissions_g",
}

// flagFinding makes a finding of a flag raised at some places.
func flagFinding(flag string, places []Place) Finding {
	f := Finding{Flag: flag, Places: places, Where: whereText(places)}
	if t, ok := flagText[flag]; ok {
		f.Title, f.Sentence, f.Warn = t.title, t.sentence, t.warn
		return f
	}
	words := strings.ReplaceAll(flag, "_", " ")
	f.Title, f.Sentence = visible(words), "Enrichment raised the flag "+visible(flag)+"."
	return f
}

// whereText counts places: "4 tests", "the run", "2 files".
func whereText(places []Place) string {
	counts := map[string]int{}
	var kinds []string
	for _, p := range places {
		kind, _, _ := strings.Cut(p.Text, " ")
		if counts[kind]++; counts[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	// The run repeats what its tests say, and a trace its test's.
	for _, wide := range []string{"test", "trace", "span", "file"} {
		if counts[wide] > 0 {
			return plural(counts[wide], wide)
		}
	}
	return strings.Join(kinds, ", ")
}

// places turns the places of a flag into links: "test:tool:a", "trace:<id>",
// "span:<trace>/<span>", "file:<hash>", "run".
func places(runID string, where []string) []Place {
	list := make([]Place, 0, len(where))
	for _, w := range where {
		kind, id, _ := strings.Cut(w, ":")
		switch kind {
		case "test":
			list = append(list, Place{"test " + visible(id), TestURL(runID, id)})
		case "trace":
			list = append(list, Place{"trace " + short(id), TraceURL(runID, id)})
		case "span":
			trace, span, _ := strings.Cut(id, "/")
			list = append(list, Place{"span " + short(span), SpanURL(runID, trace, span)})
		default:
			list = append(list, Place{Text: visible(strings.ReplaceAll(w, ":", " "))})
		}
	}
	return list
}

// correction makes a finding of a stored figure that ours replaced, or reports
// false: for figures that agree, are absent, or explain themselves.
func correction[R any](columns []enrich.Column[R], row *R, name string, was attr.Value, origin enrich.Origin) (Finding, bool) {
	c, ok := enrich.Lookup(columns, name)
	if !ok {
		return Finding{}, false
	}
	if alias := aliases[name]; alias != "" {
		name = alias
	}
	text, ok := corrections[name]
	ptr := c.Ptr(row)
	ours, known := enrich.Number(ptr)
	theirs, number := was.Float()
	if !ok || !number || !known || inFull(c.Unit, ours) == inFull(c.Unit, theirs) {
		return Finding{}, false
	}
	because := text.because
	if origin.From != "" {
		because = visible(origin.From) + "."
	}
	f := Finding{
		Title:    text.title,
		Sentence: "SMOLTRACE recorded " + inFull(c.Unit, theirs) + " " + text.subject + "; we count " + inFull(c.Unit, ours) + ". " + sentence(because),
		Warn:     true,
	}
	return f, true
}

// sentence begins with a capital letter, unless with the name of a column.
func sentence(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if s == "" || strings.Contains(first, "_") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// orderFindings puts what changes a figure first, then the wider findings.
func orderFindings(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		switch {
		case a.Warn != b.Warn && a.Warn:
			return -1
		case a.Warn != b.Warn:
			return 1
		case (a.Flag == "") != (b.Flag == "") && a.Flag == "":
			return -1
		case (a.Flag == "") != (b.Flag == ""):
			return 1
		}
		return len(b.Places) - len(a.Places)
	})
}
