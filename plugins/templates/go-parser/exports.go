//go:build wasip1

// The functions that the host calls. There is nothing to change here.

package main

//go:wasmimport [export]vthost:parser/parsing@0.1.0 [resource-new]session
func newSession(number uint32) uint32

//go:wasmexport vthost:parser/parsing@0.1.0#[dtor]session
func exportDrop(number uint32) { closed(number) }

//go:wasmexport vthost:parser/parsing@0.1.0#describe
func exportDescribe() uint32 {
	begin()
	return result(Describe())
}

//go:wasmexport vthost:parser/parsing@0.1.0#detect
func exportDetect(name, nameLen, head, headLen uint32, offset int32, reference int64) uint32 {
	input := Input{text(name, nameLen), bytes(head, headLen), int16(offset), reference}
	begin()
	return uint32(Detect(input))
}

//go:wasmexport vthost:parser/parsing@0.1.0#[static]session.open
func exportOpen(name, nameLen, head, headLen uint32, offset int32, reference int64,
	at, length uint32) uint32 {
	input := Input{text(name, nameLen), bytes(head, headLen), int16(offset), reference}
	settings := text(at, length)
	begin()
	session, err := Open(input, settings)
	if err != nil {
		return result(failure{true, err.Error()})
	}
	return result(struct {
		IsError bool
		Handle  uint32
	}{false, opened(session)})
}

//go:wasmexport vthost:parser/parsing@0.1.0#[method]session.reading
func exportReading(session uint32) uint32 { return uint32(sessionOf(session).Reading()) }

//go:wasmexport vthost:parser/parsing@0.1.0#[method]session.parse
func exportParse(session, at, length uint32) uint32 {
	chunk := bytes(at, length)
	begin()
	return batchResult(sessionOf(session).Parse(chunk))
}

//go:wasmexport vthost:parser/parsing@0.1.0#[method]session.finish
func exportFinish(session uint32) uint32 {
	begin()
	return batchResult(sessionOf(session).Finish())
}

func batchResult(batch Batch, err error) uint32 {
	if err != nil {
		return result(failure{true, err.Error()})
	}
	return result(struct {
		IsError bool
		Batch   Batch
	}{false, batch})
}
