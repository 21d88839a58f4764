// Native unit tests: `go test`.

package main

import "testing"

func TestTwoEnginesAreEnough(t *testing.T) {
	session, err := Open("{}")
	if err != nil {
		t.Fatal(err)
	}
	judge := func(malicious uint32, engines string) Judgement {
		report := Report{Stats: Stats{Malicious: malicious}, Engines: engines}
		return session.Judge(Sightings{}, report, 0)
	}
	if verdict := judge(1, "A\tmalicious\tphishing\n").Verdict; verdict != Good {
		t.Error(verdict)
	}
	bad := judge(2, "A\tmalicious\tphishing\nB\tmalicious\t\nC\tharmless\tclean\n")
	if bad.Verdict != Bad || bad.Reason != "2 engines: A (phishing), B" {
		t.Error(bad)
	}
}

func TestOwnDomainsAreSkipped(t *testing.T) {
	session, err := Open(`{"own_domains": ["example.com"]}`)
	if err != nil {
		t.Fatal(err)
	}
	for host, skips := range map[string]bool{
		"example.com": true, "www.example.com": true, "notexample.com": false,
	} {
		screening := session.Screen(Sightings{Indicator: Indicator{Host: host}})
		if (screening.Skip != "") != skips {
			t.Error(host, screening)
		}
	}
}
