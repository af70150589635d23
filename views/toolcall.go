package views

import (
	"encoding/json"
	"strings"
)

// toolArguments returns what a tool was called with. smolagents' own record of
// a call, {"args": […], "kwargs": {…}}, is unwrapped; any other text stays.
func toolArguments(input string) string {
	var call struct {
		Args   []json.RawMessage `json:"args"`
		Kwargs json.RawMessage   `json:"kwargs"`
	}
	if json.Unmarshal([]byte(input), &call) != nil || (call.Args == nil && call.Kwargs == nil) {
		return input
	}
	var parts []string
	for _, a := range call.Args {
		parts = append(parts, string(a))
	}
	if kw := string(call.Kwargs); kw != "" && kw != "{}" && kw != "null" {
		parts = append(parts, kw)
	}
	return strings.Join(parts, ", ")
}
