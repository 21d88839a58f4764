//go:build wasip1

// The canonical ABI of the component model: how values cross the boundary between the host
// and this plugin. There is nothing to change here.

package main

import (
	"reflect"
	"unsafe"
)

// Memory that the host has filled or will read. The next call releases it.
var alive []unsafe.Pointer

// The host allocates arguments with this function.
//
//go:wasmexport cabi_realloc
func realloc(old, oldLen, align, newLen uint32) uint32 {
	memory := allocate(uintptr(newLen))
	if oldLen > 0 {
		copy(unsafe.Slice((*byte)(memory), newLen), unsafe.Slice((*byte)(pointer(old)), oldLen))
	}
	return address(memory)
}

func allocate(bytes uintptr) unsafe.Pointer {
	words := make([]uint64, bytes/8+1)
	memory := unsafe.Pointer(&words[0])
	alive = append(alive, memory)
	return memory
}

func pointer(address uint32) unsafe.Pointer { return unsafe.Pointer(uintptr(address)) }

func address(memory unsafe.Pointer) uint32 { return uint32(uintptr(memory)) }

// take reads the argument at an address into a value.
func take(at uint32, value any) { load(pointer(at), reflect.ValueOf(value).Elem()) }

// text reads a string argument, and bytes a list of bytes.
func text(at, length uint32) string { return string(bytes(at, length)) }

func bytes(at, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(pointer(at)), length)...)
}

// begin releases the memory of the last call. Arguments have been read.
func begin() { alive = alive[:0] }

// result writes a value for the host and returns its address.
func result(value any) uint32 {
	source := reflect.ValueOf(value)
	size, _ := layout(source.Type())
	memory := allocate(size)
	store(memory, source)
	return address(memory)
}

// layout returns the size and the alignment of a type. A pointer is an `option`, a struct a
// `record`.
func layout(kind reflect.Type) (size, align uintptr) {
	switch kind.Kind() {
	case reflect.String, reflect.Slice:
		return 8, 4
	case reflect.Pointer:
		size, align = layout(kind.Elem())
		return aligned(aligned(1, align)+size, align), align
	case reflect.Struct:
		align = 1
		for i := range kind.NumField() {
			fieldSize, fieldAlign := layout(kind.Field(i).Type)
			size = aligned(size, fieldAlign) + fieldSize
			align = max(align, fieldAlign)
		}
		return aligned(size, align), align
	}
	return kind.Size(), kind.Size()
}

func aligned(offset, align uintptr) uintptr { return (offset + align - 1) / align * align }

// isPlain reports whether a type has the same bytes in Go as in the component model.
func isPlain(kind reflect.Type) bool {
	switch kind.Kind() {
	case reflect.String, reflect.Slice, reflect.Pointer:
		return false
	case reflect.Struct:
		for i := range kind.NumField() {
			if !isPlain(kind.Field(i).Type) {
				return false
			}
		}
	}
	return true
}

func load(from unsafe.Pointer, value reflect.Value) {
	switch kind := value.Type(); kind.Kind() {
	case reflect.String:
		at := *(*[2]uint32)(from)
		value.SetString(text(at[0], at[1]))
	case reflect.Slice:
		at := *(*[2]uint32)(from)
		if kind.Elem().Kind() == reflect.Uint8 {
			value.SetBytes(bytes(at[0], at[1]))
			return
		}
		size, _ := layout(kind.Elem())
		value.Set(reflect.MakeSlice(kind, int(at[1]), int(at[1])))
		for i := range int(at[1]) {
			load(unsafe.Add(pointer(at[0]), uintptr(i)*size), value.Index(i))
		}
	case reflect.Pointer:
		if *(*uint8)(from) != 0 {
			_, align := layout(kind.Elem())
			value.Set(reflect.New(kind.Elem()))
			load(unsafe.Add(from, align), value.Elem())
		}
	case reflect.Struct:
		each(from, value, load)
	default:
		value.Set(reflect.NewAt(kind, from).Elem())
	}
}

func store(to unsafe.Pointer, value reflect.Value) {
	switch kind := value.Type(); kind.Kind() {
	case reflect.String:
		if value.Len() > 0 {
			data := unsafe.Pointer(unsafe.StringData(value.String()))
			alive = append(alive, data)
			*(*[2]uint32)(to) = [2]uint32{address(data), uint32(value.Len())}
		}
	case reflect.Slice:
		if value.Len() > 0 {
			*(*[2]uint32)(to) = [2]uint32{address(storeList(value)), uint32(value.Len())}
		}
	case reflect.Pointer:
		if !value.IsNil() {
			_, align := layout(kind.Elem())
			*(*uint8)(to) = 1
			store(unsafe.Add(to, align), value.Elem())
		}
	case reflect.Struct:
		each(to, value, store)
	default:
		reflect.NewAt(kind, to).Elem().Set(value)
	}
}

// storeList returns the memory of a list's elements.
func storeList(list reflect.Value) unsafe.Pointer {
	kind := list.Type().Elem()
	if isPlain(kind) {
		alive = append(alive, list.UnsafePointer())
		return list.UnsafePointer()
	}
	size, _ := layout(kind)
	memory := allocate(size * uintptr(list.Len()))
	for i := range list.Len() {
		store(unsafe.Add(memory, uintptr(i)*size), list.Index(i))
	}
	return memory
}

// each calls a function for each field of a struct, with its place in memory.
func each(at unsafe.Pointer, value reflect.Value, call func(unsafe.Pointer, reflect.Value)) {
	offset := uintptr(0)
	for i := range value.NumField() {
		size, align := layout(value.Field(i).Type())
		offset = aligned(offset, align)
		call(unsafe.Add(at, offset), value.Field(i))
		offset += size
	}
}

// An open session. The host knows it by its number.
var sessions []*Session

func opened(session *Session) uint32 {
	sessions = append(sessions, session)
	return newSession(uint32(len(sessions)))
}

func sessionOf(number uint32) *Session { return sessions[number-1] }

func closed(number uint32) { sessions[number-1] = nil }

// A `result<_, string>` that is an error.
type failure struct {
	IsError bool
	Reason  string
}

func main() {}
