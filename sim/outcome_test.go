package sim

import "testing"

// outcomes makes Outcomes of a string with an H for each hit.
func outcomes(s string) *Outcomes {
	o := newOutcomes(len(s))
	for i := range s {
		if s[i] == 'H' {
			o.set(i)
		}
	}
	return o
}

func TestOutcomesFirstDifference(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 200} {
		for flip := range n {
			a, b := newOutcomes(n), newOutcomes(n)
			for i := range n {
				if i%3 == 0 {
					a.set(i)
				}
				// b differs from a at flip and after it.
				if (i%3 == 0) != (i == flip || i == n-1) {
					b.set(i)
				}
			}
			if got := a.FirstDifference(b); got != flip {
				t.Errorf("%d outcomes, of which %d differs first: got %d", n, flip, got)
			}
			if got := a.FirstDifference(a); got != -1 {
				t.Errorf("%d outcomes: differ from themselves at %d", n, got)
			}
			if !a.Hit(0) || n > 1 && a.Hit(1) {
				t.Errorf("%d outcomes: request 0 must be a hit and request 1 a miss", n)
			}
		}
	}
}

func TestOutcomesDigest(t *testing.T) {
	seen := make(map[string]string)
	for _, s := range []string{"", ".", "H", "..", "H.", ".H", "HH", "HH."} {
		d := outcomes(s).Digest()
		if len(d) != 16 {
			t.Errorf("%q: digest %s: want 16 digits", s, d)
		}
		if other, taken := seen[d]; taken {
			t.Errorf("%q and %q have the same digest", s, other)
		}
		seen[d] = s
	}
	if got, want := outcomes("..HH.H").Digest(), "ff4d7251c1eb9e0c"; got != want {
		t.Errorf("digest changed, which breaks comparison with older results: got %s, want %s", got, want)
	}
}

// TestOutcomesMisses compares the misses of all ranges with those that Hit tells.
func TestOutcomesMisses(t *testing.T) {
	const n = 200
	o := newOutcomes(n)
	for i := range n {
		if i%3 == 0 || i/64 == 1 || i > 190 {
			o.set(i)
		}
	}
	for from := range n + 1 {
		for to := from; to <= n; to++ {
			next := from
			for i := range o.misses(from, to) {
				for ; next < i; next++ {
					if !o.Hit(next) {
						t.Fatalf("misses from %d to %d leave out %d", from, to, next)
					}
				}
				if o.Hit(i) || i != next || i >= to {
					t.Fatalf("misses from %d to %d have %d", from, to, i)
				}
				next++
			}
			for ; next < to; next++ {
				if !o.Hit(next) {
					t.Fatalf("misses from %d to %d leave out %d", from, to, next)
				}
			}
		}
	}
}
