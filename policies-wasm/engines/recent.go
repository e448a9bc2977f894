package engines

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// A module that is larger than largeModule, as those of Go are, takes seconds to
// compile, and its code is kept in the process. Smaller ones compile in some
// milliseconds, which are measured in each cell; their code is kept for checks and
// searches, which open the same module dozens of times.
const largeModule = 128 << 10

// keeps reports whether the code of a module is kept.
func (o Options) keeps(b []byte) bool { return !o.Anew && (o.Keep || len(b) >= largeModule) }

// mostRecent is of how many modules the code is kept.
const mostRecent = 8

// recent keeps the code of the modules that were compiled last, in the form of a
// runtime.
type recent[Code any] struct {
	mu    sync.Mutex
	kept  []*kept[Code] // the latest used last
	empty func() Code   // makes the code of a module before it is compiled
}

// kept is the code of a module. Whoever uses it holds mu: so only the first
// compiles.
type kept[Code any] struct {
	mu   sync.Mutex
	key  [sha256.Size]byte
	code Code
	done bool          // code is that of the module
	took time.Duration // to compile
}

// of returns what is kept of a module, by what is compiled and the settings that
// its code depends on.
func (r *recent[Code]) of(b []byte, settings string) *kept[Code] {
	h := sha256.New()
	h.Write([]byte(settings))
	h.Write([]byte{0})
	h.Write(b)
	key := [sha256.Size]byte(h.Sum(nil))
	r.mu.Lock()
	defer r.mu.Unlock()
	k := &kept[Code]{key: key}
	if i := slices.IndexFunc(r.kept, func(k *kept[Code]) bool { return k.key == key }); i >= 0 {
		k = r.kept[i]
		r.kept = slices.Delete(r.kept, i, i+1)
	} else if k.code = r.empty(); len(r.kept) == mostRecent {
		r.kept = slices.Delete(r.kept, 0, 1)
	}
	r.kept = append(r.kept, k)
	return k
}
