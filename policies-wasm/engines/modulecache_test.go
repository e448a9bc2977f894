//go:build cgo && (linux || darwin)

package engines

import (
	"os"
	"testing"
	"time"
)

// TestModuleCache finds what it kept, and does not trust a file that was damaged.
func TestModuleCache(t *testing.T) {
	t.Setenv("CACHESIM_CACHE", t.TempDir())
	c := newModuleCache()
	file := c.file("llvm", "1", []byte("module"))
	if file == c.file("llvm", "2", []byte("module")) || file == c.file("llvm", "1", []byte("other")) || file == c.file("x", "1", []byte("module")) {
		t.Error("different modules share a file")
	}
	if _, _, ok := c.load(file); ok {
		t.Error("the empty cache has the module")
	}
	c.store(file, []byte("compiled"), 5*time.Second)
	if b, took, ok := c.load(file); !ok || string(b) != "compiled" || took != 5*time.Second {
		t.Errorf("kept %q, %v, %v", b, took, ok)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		damaged := append([]byte(nil), b...)
		damaged[i] ^= 1
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, ok := c.load(file); ok {
			t.Fatalf("byte %d changed, and the cache did not see it", i)
		}
	}
}
