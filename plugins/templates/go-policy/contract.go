// The contract's types. `wit/policy.wit` states what they mean.

package main

type Description struct{ Name, Version, Licence, Summary, SettingsSchema string }

type IndicatorKind uint8

const (
	URL IndicatorKind = iota
	Domain
	IP
)

type Indicator struct {
	Kind        IndicatorKind
	Value, Host string
}

type Sightings struct {
	Indicator               Indicator
	Count, Allowed, Blocked uint64
	First, Last             *int64
	Clients                 uint32
}

type Stats struct{ Harmless, Malicious, Suspicious, Undetected, Timeout uint32 }

type Scope uint8

const (
	Exact Scope = iota
	Host
)

type Category struct{ Vendor, Label string }

type Rank struct {
	List     string
	Position uint32
}

type Report struct {
	Subject                         Indicator
	Scope                           Scope
	Stats                           Stats
	Engines                         string
	Reputation                      *int32
	VotesHarmless, VotesMalicious   *uint32
	Categories                      []Category
	Tags, ThreatNames               []string
	LastAnalysis                    *int64
	FirstSubmission, LastSubmission *int64
	TimesSubmitted                  *uint32
	Creation                        *int64
	Registrar                       *string
	Popularity                      []Rank
	Owner                           *string
	ASN                             *uint32
	Country, Network                *string
	AttributesJSON                  string
}

// Screening is whether to spend a request: none if there is a reason to skip.
type Screening struct {
	Skip     string
	Priority int32
}

type Verdict uint8

const (
	Bad Verdict = iota
	Good
	Unknown
)

type Judgement struct {
	Verdict Verdict
	Reason  string
	Tags    []string
	Score   *uint8
	Settles *bool
}
