// The log of our own gateway. Blanks separate the fields:
// `2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

package main

import "time"

// The most line numbers that are kept for a reason.
const maxSamples = 8

// Session is an open input. The lines of this log are independent of each other.
type Session struct{}

// Describe is called once after loading.
func Describe() Description {
	return Description{
		Name:    "our-plugin",
		Version: "1.0.0",
		Licence: "MIT",
		Summary: "The log of our own gateway",
		Formats: []Format{{
			Name:  "our-plugin",
			Title: "Our gateway's access log",
			// A line that `Detect` and `Parse` accept.
			Example: "2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/",
		}},
	}
}

// A line of the log, and its fields as spans of the chunk.
type line struct {
	end    int
	fields []Span
}

func isBlank(character byte) bool {
	return character == ' ' || character == '\t' || character == '\r'
}

// lineAt splits the line at `start` into fields.
func lineAt(chunk []byte, start int) line {
	var fields []Span
	at := start
	for at < len(chunk) && chunk[at] != '\n' {
		first := at
		for at < len(chunk) && chunk[at] != '\n' && !isBlank(chunk[at]) {
			at++
		}
		if at > first {
			fields = append(fields, Span{uint32(first), uint32(at - first)})
		} else {
			at++
		}
	}
	return line{at, fields}
}

func textOf(chunk []byte, span Span) string {
	return string(chunk[span.Start : span.Start+span.Len])
}

func isOurs(chunk []byte, fields []Span) bool {
	if len(fields) != 4 {
		return false
	}
	verdict := textOf(chunk, fields[2])
	return verdict == "allow" || verdict == "deny"
}

// Detect returns 95 of 100 if nearly all lines have our format. The last line may be
// truncated.
func Detect(input Input) uint8 {
	written, ours := 0, 0
	for start := 0; start < len(input.Head); {
		line := lineAt(input.Head, start)
		isCutOff := line.end == len(input.Head) && start > 0
		if len(line.fields) > 0 && !isCutOff {
			written++
			if isOurs(input.Head, line.fields) {
				ours++
			}
		}
		start = line.end + 1
	}
	if written > 0 && ours*10 >= written*9 {
		return 95
	}
	return 0
}

// Open opens an input. An error is a message for the user: why it cannot be read.
func Open(input Input, settings string) (*Session, error) { return &Session{}, nil }

// Reading returns how the host may split the input.
func (session *Session) Reading() Reading { return IndependentLines }

// Parse is called for each chunk of whole lines. An error ends the input.
func (session *Session) Parse(chunk []byte) (Batch, error) {
	var batch Batch
	number := uint32(0)
	for start := 0; start < len(chunk); number++ {
		line := lineAt(chunk, start)
		switch {
		case isOurs(chunk, line.fields):
			batch.Observations = append(batch.Observations, observed(chunk, number, line.fields))
			batch.Records++
		case len(line.fields) > 0:
			batch.Rejected = counted(batch.Rejected, "not time, client, verdict and URL", number)
		default:
			batch.Ignored = counted(batch.Ignored, "blank", number)
		}
		start = line.end + 1
	}
	return batch, nil
}

// Finish is called once at the end of the input.
func (session *Session) Finish() (Batch, error) { return Batch{}, nil }

func observed(chunk []byte, number uint32, fields []Span) Observation {
	action := Blocked
	if textOf(chunk, fields[2]) == "allow" {
		action = Allowed
	}
	return Observation{
		Line:   number,
		Kind:   URL,
		Action: action,
		Value:  fields[3],
		Client: fields[1],
		TimeUs: microseconds(textOf(chunk, fields[0])),
	}
}

// microseconds reads `2024-05-01T12:00:00Z`.
func microseconds(text string) int64 {
	read, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil {
		return NoTime
	}
	return read.UnixMicro()
}

// counted counts a line in a list that has one reason.
func counted(tallies []Tally, reason string, number uint32) []Tally {
	if len(tallies) == 0 {
		tallies = []Tally{{Reason: reason}}
	}
	tally := &tallies[0]
	tally.Count++
	if len(tally.Samples) < maxSamples {
		tally.Samples = append(tally.Samples, number)
	}
	return tallies
}
