// The contract's types. `wit/parser.wit` states what they mean.

package main

type Format struct{ Name, Title, Example string }

type Description struct {
	Name, Version, Licence, Summary string
	Formats                         []Format
	SettingsSchema                  string
}

type Input struct {
	Name             string
	Head             []byte
	UTCOffsetMinutes int16
	ReferenceTimeUs  int64
}

type Reading uint8

const (
	IndependentLines Reading = iota
	OrderedLines
	WholeDocument
)

// Span is a part of the chunk, or of the text of the batch.
type Span struct{ Start, Len uint32 }

type IndicatorKind uint8

const (
	URL IndicatorKind = iota
	Domain
	IP
)

type Action uint8

const (
	Unstated Action = iota
	Allowed
	Blocked
)

// NoTime is the time of an observation without one.
const NoTime = -1 << 63

type Observation struct {
	Line                uint32
	Kind                IndicatorKind
	Action              Action
	Value, Client, User Span
	TimeUs              int64
}

type Tally struct {
	Reason  string
	Count   uint32
	Samples []uint32
}

type Batch struct {
	Text              []byte
	Observations      []Observation
	Records           uint32
	Ignored, Rejected []Tally
}
