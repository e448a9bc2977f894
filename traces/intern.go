package traces

import (
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/zeebo/xxh3"

	"cachesim/sim"
)

// An interner gives objects dense numbers in the order of their first request,
// and keeps the size of each that counts. Ids are compared whole; hashes only
// find them.
//
// It is an open-addressing table of at most half load. A slot is 8 bytes, a
// part of the hash and the object's number, so that an object takes 16 to 32
// bytes of the table and 16 beside it, also while the table grows: the old one
// is not needed to fill the new one.
type interner struct {
	slots []uint64 // low half of the hash <<32 | number of the object + 1; 0: free
	shift uint     // a hash's first slot is hash >> shift
	n     uint32   // objects

	objects [][]object // in chunks of objectChunk, so that they are never copied
	slab    []object   // of which the next chunks are made, several at a time, for huge pages
	text    arena
	isText  []uint64 // a bit for each object; shorter when the rest are numbers

	cands [ahead]uint32 // of lookups under way
	touch uint64        // keeps the loads of lookups from being left out
}

type object struct {
	key  uint64 // the id where it is a number, otherwise where it is in the arena
	size int64  // bytes; unknownSize until a request has one
}

const (
	objectChunk = 1 << 16
	unknownSize = -1
	// ahead is how many ids are looked up together: their loads overlap.
	ahead = 128
)

func newInterner() *interner {
	in := &interner{}
	in.resize(1 << 10)
	return in
}

// hashNumber mixes an id that is a number; the lowest bit says that it is one.
func hashNumber(key uint64) uint64 {
	hi, lo := bits.Mul64(key^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	h := (hi ^ lo) * 0xff51afd7ed558ccd
	return h &^ 1
}

// hashText is hashNumber for text. A table never takes one for the other,
// because the lowest bit of the hash is part of the slot.
func hashText(text []byte) uint64 { return xxh3.Hash(text) | 1 }

func (in *interner) object(id uint32) *object {
	return &in.objects[id/objectChunk][id%objectChunk]
}

func (in *interner) resize(slots int) {
	in.slots = nil // the old table need not live while the new one is filled
	in.slots = sim.Make[uint64](slots)
	in.shift = 64 - uint(bits.TrailingZeros(uint(slots)))
	mask := uint64(slots - 1)
	for id := range in.n {
		h := in.hash(id)
		i := h >> in.shift
		for in.slots[i] != 0 {
			i = (i + 1) & mask
		}
		in.slots[i] = h<<32 | uint64(id+1)
	}
}

func (in *interner) hash(id uint32) uint64 {
	if in.textual(id) {
		return hashText(in.text.at(in.object(id).key))
	}
	return hashNumber(in.object(id).key)
}

func (in *interner) textual(id uint32) bool {
	w := int(id >> 6)
	return w < len(in.isText) && in.isText[w]>>(id&63)&1 != 0
}

// preload looks up to ahead hashes and keeps the objects that they probably lead
// to, for number. First it touches all slots, then reads them, then touches all
// objects: loads that no branch and no other load depends on overlap, which is
// most of what interning costs.
func (in *interner) preload(hashes []uint64) {
	slots, shift := in.slots, in.shift
	var sum uint64
	for _, h := range hashes {
		sum += slots[h>>shift]
	}
	mask := uint64(len(slots) - 1)
	cands := in.cands[:len(hashes)]
	for k, h := range hashes {
		i := h >> shift
		s := slots[i]
		for s != 0 && (s^h<<32)>>32 != 0 {
			i = (i + 1) & mask
			s = slots[i]
		}
		cands[k] = uint32(s)
	}
	if in.n > 0 {
		for _, c := range cands {
			sum += in.object(max(c, 1) - 1).key
		}
	}
	in.touch += sum
}

// number returns the number of the object with the id of a record, which was the
// k-th in the last preload, and whether it is new.
func (in *interner) number(k int, r *Record, hash uint64) (id uint32, isNew bool) {
	if c := in.cands[k]; c != 0 {
		if key := in.object(c - 1).key; r.Text == nil && key == r.Key || r.Text != nil && string(in.text.at(key)) == string(r.Text) {
			return c - 1, false
		}
	}
	return in.lookup(r, hash)
}

// lookup is number without what preload has found. An object may have become
// known since then, or another one may have the same part of the hash.
func (in *interner) lookup(r *Record, hash uint64) (id uint32, isNew bool) {
	mask := uint64(len(in.slots) - 1)
	i := hash >> in.shift
	for {
		s := in.slots[i]
		if s == 0 {
			break
		}
		if (s^hash<<32)>>32 == 0 {
			id := uint32(s) - 1
			key := in.object(id).key
			if r.Text == nil && key == r.Key || r.Text != nil && string(in.text.at(key)) == string(r.Text) {
				return id, false
			}
		}
		i = (i + 1) & mask
	}
	id = in.n
	if id%objectChunk == 0 {
		if len(in.slab) == 0 {
			in.slab = sim.Make[object](min(max(len(in.objects)/2, 1), 16) * objectChunk)
		}
		in.objects = append(in.objects, in.slab[:objectChunk:objectChunk])
		in.slab = in.slab[objectChunk:]
	}
	o := in.object(id)
	o.size = unknownSize
	if r.Text == nil {
		o.key = r.Key
	} else {
		o.key = in.text.add(r.Text)
		for int(id>>6) >= len(in.isText) {
			in.isText = append(in.isText, 0)
		}
		in.isText[id>>6] |= 1 << (id & 63)
	}
	in.slots[i] = hash<<32 | uint64(id+1)
	in.n++
	if int(in.n) > len(in.slots)/2 {
		in.resize(2 * len(in.slots))
	}
	return id, true
}

// names drops all but the ids, which take 8 bytes each if they are numbers.
func (in *interner) names() *names {
	in.slots, in.slab = nil, nil
	n := &names{text: in.text, isText: in.isText, keys: make([][]uint64, len(in.objects))}
	for c, objects := range in.objects {
		used := min(int(in.n)-c*objectChunk, objectChunk)
		n.keys[c] = make([]uint64, used)
		for i := range n.keys[c] {
			n.keys[c][i] = objects[i].key
		}
		in.objects[c] = nil
	}
	return n
}

// names are the ids that a trace's file gives to objects.
type names struct {
	keys   [][]uint64 // as those of the interner's objects
	isText []uint64
	text   arena
}

func (n *names) name(id uint32) string {
	key := n.keys[id/objectChunk][id%objectChunk]
	if w := int(id >> 6); w < len(n.isText) && n.isText[w]>>(id&63)&1 != 0 {
		return string(n.text.at(key))
	}
	return strconv.FormatUint(key, 10)
}

// An arena holds texts, one after the other, each behind its length.
type arena struct{ chunks [][]byte }

const arenaChunk = 1 << 20

// add stores a copy of text and returns where it is: chunk<<32 | offset.
func (a *arena) add(text []byte) uint64 {
	need := len(text) + binary.MaxVarintLen32
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < need {
		a.chunks = append(a.chunks, make([]byte, 0, max(arenaChunk, need)))
		last++
	}
	c := a.chunks[last]
	at := uint64(last)<<32 | uint64(len(c))
	c = binary.AppendUvarint(c, uint64(len(text)))
	a.chunks[last] = append(c, text...)
	return at
}

// at returns the text that add stored.
func (a *arena) at(at uint64) []byte {
	c := a.chunks[at>>32][uint32(at):]
	if n := int(c[0]); n < 0x80 {
		return c[1 : 1+n]
	}
	n, k := binary.Uvarint(c)
	return c[k : k+int(n)]
}
