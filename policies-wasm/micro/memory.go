package micro

import (
	"encoding/binary"
	"fmt"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
)

// memoryTest is the test of a convention that passes two numbers in the guest's
// memory.
func memoryTest(abi, handle string) Test {
	buffer, sig := "wasm_prepare_buffer", "(i32) -> i64"
	if static(abi) {
		buffer, sig = "wasm_get_buffer", "() -> i64"
	}
	return Test{
		Name: abi + "-" + handle, ABI: abi, Handle: handle, needs: exports{buffer: sig, "struct_add": "(i32, i32) -> i32", "memory": ""},
		bind: func(s *sandbox) (func(int) error, error) {
			m, err := s.passing(abi, handle, pairBytes)
			if err != nil {
				return nil, err
			}
			return m.calls, nil
		},
	}
}

func static(abi string) bool { return abi == wasm.BytemuckStatic || abi == wasm.BincodeStatic }

// pairBytes is the size of two numbers.
const pairBytes = 8

// passing passes a struct in memory: two numbers, and as many bytes after them as
// make up size.
type passing struct {
	sandbox *sandbox
	abi     string
	cached  bool
	size    int
	send    string
	place   int    // of the buffer, where there is but one
	payload []byte // the struct as it lies in the host's memory
	scratch []byte // what it is serialised to

	// With the handle cached, what was looked up.
	sendTo, alloc callable
	memory        engines.Memory
}

// lastWord is the end of a payload of more than two numbers. The guest adds it to
// the product, which shows that all has come.
const lastWord = 5

func (s *sandbox) passing(abi, handle string, size int) (*passing, error) {
	m := &passing{sandbox: s, abi: abi, cached: handle == Cached, size: size}
	m.send = "struct_add"
	if !s.binary.Exports(m.send, "(i32, i32) -> i32") {
		m.send = map[string]string{
			wasm.Bincode: "struct_add_bincode", wasm.Bytemuck: "struct_add_bytemuck",
			wasm.BincodeStatic: "struct_add_bincode_static", wasm.BytemuckStatic: "struct_add_bytemuck_static",
		}[abi]
	}
	m.payload, m.scratch = make([]byte, size), make([]byte, size)
	binary.LittleEndian.PutUint32(m.payload, uint32(factorX))
	binary.LittleEndian.PutUint32(m.payload[4:], uint32(factorY))
	if size > pairBytes {
		binary.LittleEndian.PutUint32(m.payload[size-4:], lastWord)
	}
	var err error
	if static(abi) {
		get, err := s.function("wasm_get_buffer")
		if err != nil {
			return nil, err
		}
		if m.place, err = get.place(0); err != nil {
			return nil, err
		}
	}
	if m.cached {
		if m.sendTo, err = s.function(m.send); err != nil {
			return nil, err
		}
		if !static(abi) {
			if m.alloc, err = s.function("wasm_prepare_buffer"); err != nil {
				return nil, err
			}
		}
		m.memory, err = s.instance.Memory("memory")
	}
	return m, err
}

// place asks for a buffer; the result has its place in the upper half.
func (c callable) place(n int) (int, error) {
	stack := []uint64{uint64(n), 0}
	err := c.words.Call(stack)
	return int(uint32(stack[0] >> 32)), err
}

func errOutside(at, memory int) error {
	return fmt.Errorf("the guest gave a buffer at %d, outside its memory of %d bytes", at, memory)
}

// calls passes the struct n times.
func (m *passing) calls(n int) error {
	want := factorX * factorY
	if m.size > pairBytes {
		want += lastWord
	}
	for range n {
		got, err := m.call()
		if err != nil {
			return err
		}
		if got != want {
			return wrong(got)
		}
	}
	return nil
}

func (m *passing) call() (int32, error) {
	send, alloc, memory, at := m.sendTo, m.alloc, m.memory, m.place
	var err error
	if !m.cached {
		if !static(m.abi) {
			if alloc, err = m.sandbox.function("wasm_prepare_buffer"); err != nil {
				return 0, err
			}
		}
		if memory, err = m.sandbox.instance.Memory("memory"); err != nil {
			return 0, err
		}
		if send, err = m.sandbox.function(m.send); err != nil {
			return 0, err
		}
	}
	if !static(m.abi) {
		if at, err = alloc.place(m.size); err != nil {
			return 0, err
		}
	}
	b := memory.Bytes()
	if at+m.size > len(b) {
		return 0, errOutside(at, len(b))
	}
	from := m.payload
	if m.abi == wasm.Bincode || m.abi == wasm.BincodeStatic {
		from = m.serialise()
	}
	copy(b[at:], from)
	var stack [2]uint64
	stack[0], stack[1] = uint64(at), uint64(m.size)
	err = send.words.Call(stack[:])
	return int32(stack[0]), err
}

// serialise writes the struct field by field, as bincode does.
func (m *passing) serialise() []byte {
	binary.LittleEndian.PutUint32(m.scratch, binary.LittleEndian.Uint32(m.payload))
	binary.LittleEndian.PutUint32(m.scratch[4:], binary.LittleEndian.Uint32(m.payload[4:]))
	copy(m.scratch[pairBytes:], m.payload[pairBytes:])
	return m.scratch
}
