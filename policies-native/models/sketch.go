package models

// sketch is the count-min sketch of TinyLFU, with one number for each counter.
type sketch struct {
	seed      uint64
	words     int // 0: there is none
	fitting   int // entries that it is fitted to
	additions int
	counters  map[counter]int
}

// A counter is in one of the blocks, and one of 32 in one of its 4 rows.
type counter struct {
	block       uint64
	row, column int
}

// fit replaces the sketch by an empty one, if it is made for fewer entries than n,
// rounded up to a power of two from 256 on. It fades after 10 n additions.
func (s *sketch) fit(n int64) {
	words := 256
	for int64(words) < n {
		words *= 2
	}
	if words > s.words {
		*s = sketch{seed: s.seed, words: words, counters: map[counter]int{}}
	}
	s.fitting = max(int(n), 1)
	if s.additions > 10*s.fitting-1 {
		s.additions = 10*s.fitting - 1
	}
}

// of returns the counters of an object.
func (s *sketch) of(id uint32) [4]counter {
	h := splitMix(uint64(id) ^ splitMix(s.seed))
	var all [4]counter
	for row := range all {
		selected := h >> (32 + 8*row)
		// 8 words of 16 counters are a block, and words is their number.
		all[row] = counter{block: h % uint64(s.words/8), row: row, column: int(selected & 31)}
	}
	return all
}

func (s *sketch) estimate(id uint32) int {
	least := 15
	for _, c := range s.of(id) {
		least = min(least, s.counters[c])
	}
	return least
}

func (s *sketch) add(id uint32) {
	added := false
	for _, c := range s.of(id) {
		if s.counters[c] < 15 {
			s.counters[c]++
			added = true
		}
	}
	if !added {
		return
	}
	s.additions++
	if s.additions < 10*s.fitting {
		return
	}
	odd := 0
	for c, n := range s.counters {
		odd += n % 2
		s.counters[c] = n / 2
	}
	s.additions = max(0, s.additions-odd/4) / 2
}
