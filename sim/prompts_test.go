package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// promptTrace makes a trace of prompts that share their beginnings, as a tree:
// the blocks of each, from its first, and the trace, in either order.
func promptTrace(seed uint64, reverse bool, size func(id uint32) int64) (prompts [][]uint32, t *Trace) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	children := map[string]uint32{}
	var reqs []Request
	p := &Prompts{Reverse: reverse, TokenBytes: 3}
	for range 60 {
		var path []uint32
		name := ""
		for range 1 + rnd.IntN(9) {
			name += fmt.Sprint(rnd.IntN(1+len(path)%3), ",")
			id, ok := children[name]
			if !ok {
				id = uint32(len(children))
				children[name] = id
			}
			path = append(path, id)
		}
		prompts = append(prompts, path)
		p.Start(len(reqs))
		asked := slices.Clone(path)
		if reverse {
			slices.Reverse(asked)
		}
		for _, id := range asked {
			reqs = append(reqs, Request{ID: id, Size: size(id)})
		}
	}
	t = traceOf("prompts", reqs, func(id uint32) string { return fmt.Sprint(id) })
	t.Prompts = p
	return prompts, t
}

// referencePrefixes counts what a cache saves, prompt by prompt in the order of
// its blocks. hit has the outcomes of the requests that were replayed.
func referencePrefixes(prompts [][]uint32, reverse bool, size func(id uint32) int64, hit []bool, warmup int) (n Tally) {
	first := 0
	for _, path := range prompts {
		for i, id := range path {
			at := first + i // of the block's request
			if reverse {
				at = first + len(path) - 1 - i
			}
			if at >= len(hit) || !hit[at] {
				break
			}
			if at >= warmup {
				n.PrefixHitBlocks++
				n.SavedTokens += size(id)
			}
		}
		if first >= warmup && first < len(hit) {
			n.LLMRequests++
		}
		first += len(path)
	}
	n.SavedTokens /= 3
	return n
}

// TestPrefixHits compares the counts with the reference, with and without a
// warm-up and over a part of the trace.
func TestPrefixHits(t *testing.T) {
	size := func(id uint32) int64 { return 3 * int64(1+id%5) }
	several := false
	for seed := range uint64(20) {
		for _, reverse := range []bool{false, true} {
			prompts, tr := promptTrace(seed, reverse, size)
			for _, capacity := range []int64{15, 100, 400, 1 << 20} { // the smallest holds any one object
				for _, metadata := range []int64{0, 1} { // which makes batches go another way
					for _, c := range []Cell{{Requests: tr.Requests}, {Requests: tr.Requests, Warmup: 101}, {Requests: 173}, {Requests: 174, Warmup: 50}} {
						c.Capacity, c.Metadata = capacity+metadata, metadata
						got, err := replay(t.Context(), Native(&lruList{capacity: c.Capacity}), tr, c, 0, nil)
						if err != nil {
							t.Fatal(err)
						}
						var hit []bool
						for i := range c.Requests {
							hit = append(hit, got.out.Hit(i))
						}
						want := referencePrefixes(prompts, reverse, size, hit, c.Warmup)
						if got.LLMRequests != want.LLMRequests || got.PrefixHitBlocks != want.PrefixHitBlocks || got.SavedTokens != want.SavedTokens {
							t.Fatalf("seed %d, reverse %v, %+v: got %+v, want %+v", seed, reverse, c, got.Tally, want)
						}
						several = several || want.PrefixHitBlocks > 0 && want.PrefixHitBlocks < got.Hits
					}
				}
			}
		}
	}
	if !several {
		t.Error("no hit of all replays is behind a miss")
	}
}

// TestPrefixLaws: where an LRU cache of blocks of one size is asked for the
// beginnings first, a block is evicted after its parents, so that all hits are
// prefix hits; and a cache of unlimited size saves the same in either order.
func TestPrefixLaws(t *testing.T) {
	one := func(uint32) int64 { return 1 }
	for seed := range uint64(20) {
		var unlimited [2]int64
		for i, reverse := range []bool{false, true} {
			_, tr := promptTrace(seed, reverse, one)
			for _, capacity := range []int64{5, 9, 17, 30, 60, 1 << 20} {
				got, err := replay(t.Context(), Native(&lruList{capacity: capacity}), tr, Cell{Requests: tr.Requests, Capacity: capacity}, 0, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !reverse && got.PrefixHitBlocks != got.Hits || got.PrefixHitBlocks > got.Hits {
					t.Errorf("seed %d, reverse %v, %d blocks: %d prefix hits, %d hits", seed, reverse, capacity, got.PrefixHitBlocks, got.Hits)
				}
				unlimited[i] = got.PrefixHitBlocks
			}
		}
		if unlimited[0] != unlimited[1] || unlimited[0] == 0 {
			t.Errorf("seed %d: %d prefix hits forward, %d in reverse", seed, unlimited[0], unlimited[1])
		}
	}
}

// TestPromptsAtTheStart has requests of a prompt whose beginning was left out:
// they save nothing that is known.
func TestPromptsAtTheStart(t *testing.T) {
	tr := traceOf("cut", []Request{{ID: 0, Size: 1}, {ID: 0, Size: 1}, {ID: 0, Size: 1}}, nil)
	tr.Prompts = &Prompts{}
	tr.Prompts.Start(2)
	got, err := replay(t.Context(), Native(&lruList{capacity: 1}), tr, Cell{Requests: 3, Capacity: 1}, 0, nil)
	if err != nil || got.LLMRequests != 1 || got.PrefixHitBlocks != 1 || got.Hits != 2 || got.SavedTokens != 0 {
		t.Errorf("got %+v, %v", got.Tally, err)
	}
	if s, err := Sample(tr, 1, 1); err != nil || s.Prompts != nil {
		t.Errorf("a sample has prompts: %v", err)
	}
}
