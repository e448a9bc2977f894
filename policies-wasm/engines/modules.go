//go:build never

package engines

// wasmtime-go is where libwasmtime/build.sh takes Wasmtime from. It is not
// imported by what is built: its names in C are also libwasmer's.
import _ "github.com/bytecodealliance/wasmtime-go/v39"
