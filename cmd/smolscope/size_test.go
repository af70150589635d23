package main

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"1":       1,
		"1B":      1,
		"512MB":   512e6,
		"1 GiB":   1 << 30,
		"2gib":    2 << 30,
		" 10 kb ": 10e3,
	} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("size %q = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "-1", "0", "1.5GB", "MB", "1PB", "9223372036854775807KB"} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("size %q = %d, want an error", text, got)
		}
	}
}
