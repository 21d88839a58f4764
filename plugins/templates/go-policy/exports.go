//go:build wasip1

// The functions that the host calls. There is nothing to change here.

package main

//go:wasmimport [export]vthost:policy/judging@0.1.0 [resource-new]session
func newSession(number uint32) uint32

//go:wasmexport vthost:policy/judging@0.1.0#[dtor]session
func exportDrop(number uint32) { closed(number) }

//go:wasmexport vthost:policy/judging@0.1.0#describe
func exportDescribe() uint32 {
	begin()
	return result(Describe())
}

//go:wasmexport vthost:policy/judging@0.1.0#[static]session.open
func exportOpen(at, length uint32) uint32 {
	settings := text(at, length)
	begin()
	session, err := Open(settings)
	if err != nil {
		return result(failure{true, err.Error()})
	}
	return result(struct {
		IsError bool
		Handle  uint32
	}{false, opened(session)})
}

//go:wasmexport vthost:policy/judging@0.1.0#[method]session.screen
func exportScreen(session, kind, value, valueLen, host, hostLen uint32,
	count, allowed, blocked uint64,
	hasFirst uint32, first int64, hasLast uint32, last int64, clients uint32) uint32 {
	seen := Sightings{
		Indicator: Indicator{IndicatorKind(kind), text(value, valueLen), text(host, hostLen)},
		Count:     count, Allowed: allowed, Blocked: blocked, Clients: clients,
	}
	if hasFirst != 0 {
		seen.First = &first
	}
	if hasLast != 0 {
		seen.Last = &last
	}
	begin()
	screening := sessionOf(session).Screen(seen)
	if screening.Skip != "" {
		return result(failure{true, screening.Skip})
	}
	return result(struct {
		IsSkip   bool
		Priority int32
		Unused   uint32
	}{false, screening.Priority, 0})
}

//go:wasmexport vthost:policy/judging@0.1.0#[method]session.judge
func exportJudge(at uint32) uint32 {
	var call struct {
		Session uint32
		Seen    Sightings
		Report  Report
		Now     int64
	}
	take(at, &call)
	begin()
	return result(sessionOf(call.Session).Judge(call.Seen, call.Report, call.Now))
}
