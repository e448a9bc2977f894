//go:build cgo && (linux || darwin)

package engines

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/klauspost/cpuid/v2"
)

// moduleCache keeps compiled modules on disk, in a folder of the user's. A file
// is named by everything that its content depends on, and holds the SHA-256 of
// the rest, the time that compiling took, and the engine's own form of the
// module. Engines trust that form, so the folder must be the user's alone.
type moduleCache struct{ dir string }

// newModuleCache returns the cache in cacheDir. Without that nothing is kept.
func newModuleCache() moduleCache {
	dir := cacheDir()
	if dir == "" {
		return moduleCache{}
	}
	return moduleCache{filepath.Join(dir, "modules")}
}

// cacheDir returns the folder that the environment variable CACHESIM_CACHE names
// or the usual one; it is empty where there is none.
func cacheDir() string {
	if dir := os.Getenv("CACHESIM_CACHE"); dir != "" {
		return dir
	}
	home, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, "cachesim")
}

func (c moduleCache) file(engine, version string, module []byte) string {
	features := fmt.Sprint(cpuid.CPU.BrandName, cpuid.CPU.FeatureSet())
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%x", engine, version, features, sha256.Sum256(module)))
	return filepath.Join(c.dir, fmt.Sprintf("%x", key[:16]))
}

// load returns a module and the time that compiling it took once; ok is false
// where it is not kept or the file is damaged.
func (c moduleCache) load(file string) (compiled []byte, took time.Duration, ok bool) {
	if c.dir == "" {
		return nil, 0, false
	}
	b, err := os.ReadFile(file)
	if err != nil || len(b) < sha256.Size+8 {
		return nil, 0, false
	}
	sum, rest := b[:sha256.Size], b[sha256.Size:]
	if want := sha256.Sum256(rest); !bytes.Equal(sum, want[:]) {
		return nil, 0, false
	}
	return rest[8:], time.Duration(binary.LittleEndian.Uint64(rest)), true
}

// store keeps a module. That it cannot is no error: it is compiled again.
func (c moduleCache) store(file string, compiled []byte, took time.Duration) {
	if c.dir == "" || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	rest := binary.LittleEndian.AppendUint64(nil, uint64(took))
	rest = append(rest, compiled...)
	sum := sha256.Sum256(rest)
	_ = maybe.WriteFile(file, append(sum[:], rest...), 0o600)
}
