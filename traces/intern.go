package traces

import "strconv"

// interner gives objects dense numbers in the order of their first request.
// Ids are compared whole; nothing is hashed into a shorter form.
type interner struct {
	byKey  map[uint64]uint32
	byText map[string]uint32
	// The name of object i is keys[i], or texts[keys[i]] where isText has its
	// bit: a trace's ids are nearly always all numbers or all text.
	keys   []uint64
	texts  []string
	isText []bool
}

func newInterner() *interner {
	return &interner{byKey: make(map[uint64]uint32), byText: make(map[string]uint32)}
}

func (in *interner) number(r *Record) (id uint32, known bool) {
	if r.Text == nil {
		id, known = in.byKey[r.Key]
		if !known {
			id = uint32(len(in.keys))
			in.byKey[r.Key] = id
			in.keys = append(in.keys, r.Key)
			in.isText = append(in.isText, false)
		}
		return id, known
	}
	id, known = in.byText[string(r.Text)]
	if !known {
		text := string(r.Text)
		id = uint32(len(in.keys))
		in.byText[text] = id
		in.keys = append(in.keys, uint64(len(in.texts)))
		in.texts = append(in.texts, text)
		in.isText = append(in.isText, true)
	}
	return id, known
}

// name returns the id that the trace gives to object id.
func (in *interner) name(id uint32) string {
	if in.isText[id] {
		return in.texts[in.keys[id]]
	}
	return strconv.FormatUint(in.keys[id], 10)
}
