//go:build cgo && (linux || darwin)

package wattest

import (
	"errors"

	"github.com/wasmerio/wasmer-go/wasmer"
)

var errNoAssembler = errors.New("no assembler") // never

func assemble(wat string) ([]byte, error) { return wasmer.Wat2Wasm(wat) }
