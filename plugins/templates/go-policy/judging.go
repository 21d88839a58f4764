// The rule of our organisation.

package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Session is an open policy with its settings.
type Session struct {
	// The number of engines that make an indicator bad.
	MinEngines uint32 `json:"min_engines"`
	// Our own domains. No request is spent on them.
	OwnDomains []string `json:"own_domains"`
}

// The settings of `--policy-config KEY=VALUE`. The host checks them before it reads any
// input.
const schema = `{
	"type": "object",
	"additionalProperties": false,
	"properties": {
		"min_engines": {"type": "integer", "minimum": 1},
		"own_domains": {"type": "array", "items": {"type": "string"}}
	}
}`

// Describe is called once after loading.
func Describe() Description {
	return Description{
		Name:           "our-plugin",
		Version:        "1.0.0",
		Licence:        "MIT",
		Summary:        "Bad is what several engines call malicious or suspicious",
		SettingsSchema: schema,
	}
}

// Open opens the policy. An error is a message for the user: what is wrong with the settings.
func Open(settings string) (*Session, error) {
	session := &Session{MinEngines: 2}
	return session, json.Unmarshal([]byte(settings), session)
}

// Screen is called before a request is spent.
func (session *Session) Screen(seen Sightings) Screening {
	for _, domain := range session.OwnDomains {
		if strings.HasSuffix("."+seen.Indicator.Host, "."+domain) {
			return Screening{Skip: "own domain"}
		}
	}
	return Screening{}
}

// Judge is called for each report.
func (session *Session) Judge(seen Sightings, report Report, now int64) Judgement {
	count := report.Stats.Malicious + report.Stats.Suspicious
	whose := ""
	if report.Scope == Host {
		whose = fmt.Sprintf("the host %s: ", report.Subject.Value)
	}
	if count < session.MinEngines {
		return Judgement{Verdict: Good, Reason: fmt.Sprintf("%s%d engines call it bad", whose, count)}
	}
	names := strings.Join(accusers(report), ", ")
	return Judgement{Verdict: Bad, Reason: fmt.Sprintf("%s%d engines: %s", whose, count, names)}
}

// The malicious and suspicious engines with their results: `ESET (phishing)`.
func accusers(report Report) []string {
	var names []string
	for line := range strings.Lines(report.Engines) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		name, opinion, label := columns[0], columns[1], columns[2]
		if opinion != "malicious" && opinion != "suspicious" {
			break
		}
		if label != "" {
			name = fmt.Sprintf("%s (%s)", name, label)
		}
		names = append(names, name)
	}
	return names
}
