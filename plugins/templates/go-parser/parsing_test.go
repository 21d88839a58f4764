// Native unit tests: `go test`.

package main

import "testing"

const sample = "2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/\n" +
	"\n" +
	"something else\n"

func TestLinesAreCounted(t *testing.T) {
	batch, err := (&Session{}).Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if batch.Records != 1 || batch.Ignored[0].Count != 1 || batch.Rejected[0].Count != 1 {
		t.Fatal(batch)
	}
	seen := batch.Observations[0]
	value := textOf([]byte(sample), seen.Value)
	// `date -u -d 2024-05-01T12:00:00Z +%s` prints 1714564800.
	if value != "http://www.example.com/" || seen.TimeUs != 1714564800_000000 || seen.Action != Allowed {
		t.Error(value, seen)
	}
}

func TestOnlyOurLogIsDetected(t *testing.T) {
	for head, confidence := range map[string]uint8{sample[:62]: 95, "something else\n": 0, "": 0} {
		if got := Detect(Input{Head: []byte(head)}); got != confidence {
			t.Error(head, got)
		}
	}
}
