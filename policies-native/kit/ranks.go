package kit

import (
	"fmt"

	"cachesim/sim"
)

// Ranks are a list of resident objects in which an object can be put at any rank,
// counted from the front, and its rank be found, in logarithmic time: a treap
// ordered by position (Seidel, Aragon, Randomized search trees, Algorithmica 16,
// 1996), in which an object's priority is the hash of
// its id. An object takes 24 bytes, whether
// it is in the list or not.
type Ranks struct {
	Space
	nodes []rankNode // at id + 1; number 0 stands for none
	root  uint32
}

type rankNode struct {
	size                uint64 // size << 1 | 1; 0: not in the list
	left, right, parent uint32
	count               uint32 // of objects from here on downwards
}

// NewRanks returns an empty list for the objects and the capacity of c.
func NewRanks(c sim.Config) Ranks {
	return Ranks{Space: Space{capacity: c.Capacity}, nodes: sim.Make[rankNode](c.Objects + 1)}
}

// Has reports whether the object is resident.
func (l *Ranks) Has(id uint32) bool { return l.nodes[id+1].size != 0 }

// Len returns the number of objects in the list.
func (l *Ranks) Len() int { return int(l.nodes[l.root].count) }

// Size returns the size of an object that is in the list.
func (l *Ranks) Size(id uint32) int64 { return int64(l.nodes[id+1].size >> 1) }

// Rank returns how many objects are before one that is in the list.
func (l *Ranks) Rank(id uint32) int {
	n := id + 1
	rank := l.nodes[l.nodes[n].left].count
	for parent := l.nodes[n].parent; parent != 0; n, parent = parent, l.nodes[parent].parent {
		if l.nodes[parent].right == n {
			rank += l.nodes[l.nodes[parent].left].count + 1
		}
	}
	return int(rank)
}

// Last returns the object at the end of the list, which must not be empty.
func (l *Ranks) Last() uint32 {
	n := l.root
	for l.nodes[n].right != 0 {
		n = l.nodes[n].right
	}
	return n - 1
}

// Insert adds an object that is not in the list, behind rank others.
func (l *Ranks) Insert(rank int, id uint32, size int64) {
	l.used += size
	l.nodes[id+1].size = uint64(size)<<1 | 1
	l.attach(rank, id+1)
}

// MoveTo moves an object that is in the list behind rank of the others.
func (l *Ranks) MoveTo(rank int, id uint32) {
	l.detach(id + 1)
	l.attach(rank, id+1)
}

// Evict takes an object out of the list and counts the eviction.
func (l *Ranks) Evict(id uint32) {
	l.Remove(id)
	l.evicted++
}

// Remove takes an object out of the list and reports whether it was in there.
func (l *Ranks) Remove(id uint32) bool {
	if !l.Has(id) {
		return false
	}
	l.used -= l.Size(id)
	l.detach(id + 1)
	l.nodes[id+1].size = 0
	return true
}

// above reports whether node a belongs above node b.
func above(a, b uint32) bool { return Mix(uint64(a)) > Mix(uint64(b)) }

// attach puts node n into the tree, behind rank others.
func (l *Ranks) attach(rank int, n uint32) {
	k, parent, link := uint32(rank), uint32(0), &l.root
	for *link != 0 && above(*link, n) {
		parent = *link
		x := &l.nodes[parent]
		x.count++
		if left := l.nodes[x.left].count; k <= left {
			link = &x.left
		} else {
			k -= left + 1
			link = &x.right
		}
	}
	left, right := l.split(*link, k)
	*link = n
	l.nodes[n].parent = parent
	l.adopt(n, left, right)
}

// detach takes node n out of the tree.
func (l *Ranks) detach(n uint32) {
	x := &l.nodes[n]
	parent, merged := x.parent, l.merge(x.left, x.right)
	l.nodes[merged].parent = parent
	switch p := &l.nodes[parent]; {
	case parent == 0:
		l.root = merged
	case p.left == n:
		p.left = merged
	default:
		p.right = merged
	}
	for ; parent != 0; parent = l.nodes[parent].parent {
		l.nodes[parent].count--
	}
}

// adopt gives node n its children. Number 0 gets a parent by it, which nothing
// reads.
func (l *Ranks) adopt(n, left, right uint32) {
	x := &l.nodes[n]
	x.left, x.right = left, right
	x.count = l.nodes[left].count + l.nodes[right].count + 1
	l.nodes[left].parent, l.nodes[right].parent = n, n
}

// split cuts the tree below n into its first k nodes and the others.
func (l *Ranks) split(n, k uint32) (first, others uint32) {
	if n == 0 {
		return 0, 0
	}
	x := &l.nodes[n]
	if left := l.nodes[x.left].count; k <= left {
		first, others = l.split(x.left, k)
		l.adopt(n, others, x.right)
		return first, n
	} else {
		first, others = l.split(x.right, k-left-1)
		l.adopt(n, x.left, first)
		return n, others
	}
}

// merge joins two trees, one behind the other.
func (l *Ranks) merge(first, others uint32) uint32 {
	switch {
	case first == 0:
		return others
	case others == 0:
		return first
	case above(first, others):
		x := &l.nodes[first]
		l.adopt(first, x.left, l.merge(x.right, others))
		return first
	default:
		x := &l.nodes[others]
		l.adopt(others, l.merge(first, x.left), x.right)
		return others
	}
}

// Check returns an error where the list contradicts itself.
func (l *Ranks) Check() error {
	var used int64
	n := 0
	for i := 1; i < len(l.nodes); i++ {
		x := &l.nodes[i]
		if x.size == 0 {
			continue
		}
		n++
		used += int64(x.size >> 1)
		if x.count != l.nodes[x.left].count+l.nodes[x.right].count+1 {
			return fmt.Errorf("object %d counts %d objects below it", i-1, x.count)
		}
		for _, child := range []uint32{x.left, x.right} {
			if child != 0 && (l.nodes[child].parent != uint32(i) || l.nodes[child].size == 0 || above(child, uint32(i))) {
				return fmt.Errorf("object %d is misplaced below object %d", child-1, i-1)
			}
		}
	}
	if n != l.Len() {
		return fmt.Errorf("the list has %d objects, but %d are in it", l.Len(), n)
	}
	return l.check(used)
}
