//go:build !cgo || !(linux || darwin)

package wattest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

var errNoAssembler = errors.New("wat2wasm, of wabt, is not installed")

func assemble(wat string) ([]byte, error) {
	if _, err := exec.LookPath("wat2wasm"); err != nil {
		return nil, errNoAssembler
	}
	dir, err := os.MkdirTemp("", "wattest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "in.wat"), filepath.Join(dir, "out.wasm")
	if err := os.WriteFile(in, []byte(wat), 0o666); err != nil {
		return nil, err
	}
	if said, err := exec.Command("wat2wasm", "--debug-names", in, "-o", out).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("wat2wasm: %w: %s", err, said)
	}
	return os.ReadFile(out)
}
