package decode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smolscope/enrich"
)

func TestCSV(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		results    []string // the test ids and prompts of the rows read
		warnings   []enrich.Warning
		err        string
	}{
		{"line ends within fields stay", "test_id,prompt,success\r\na,\"one\r\ntwo\n\"\"three\"\"\",true\r\n",
			[]string{"a: one\r\ntwo\n\"three\""}, nil, ""},
		{"bad rows are skipped and named by their line",
			"test_id,prompt,success,steps\na,p,true,1\nb,p\nc,p\"q,true,1\nd,p,true,many\n",
			[]string{"a: p", "d: p"},
			[]enrich.Warning{
				{Where: "line 3", Message: "another number of fields than columns; row skipped"},
				{Where: "line 4", Message: `byte 4: bare " in non-quoted-field; row skipped`},
				{Where: "line 5", Message: `steps is "many", expected a whole number`},
			}, ""},
		{"columns of nothing we know", "run_id,colour\nr,red\n", nil, nil,
			"unknown file format: table with columns run_id, colour; known: "},
		{"a header alone", "test_id,prompt,success\n", nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			part, file := Read("x.csv", strings.NewReader(tt.text))
			if tt.err != "" {
				if file.Error == nil || !strings.HasPrefix(*file.Error, tt.err) {
					t.Errorf("error = %s, want %s…", errorText(file.Error), tt.err)
				}
				return
			}
			if file.Error != nil {
				t.Fatal(*file.Error)
			}
			var got []string
			for _, r := range part.Results {
				got = append(got, r.Get("test_id").Text()+": "+r.Get("prompt").Text())
			}
			if diff := cmp.Diff(tt.results, got); diff != "" {
				t.Errorf("rows differ (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]enrich.Warning{}, tt.warnings...), file.Warnings); diff != "" {
				t.Errorf("warnings differ (-want +got):\n%s", diff)
			}
		})
	}
}
