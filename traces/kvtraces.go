package traces

import (
	"bytes"
	"fmt"
	"time"
)

// The traces of key-value caches: an object has a key and a value, and its size
// is that of both.

var twitter = &table{
	name: "twitter", doc: "CSV: timestamp,key,key_size,value_size,client_id,operation,ttl (Twitter cache-trace)",
	tick: time.Second, delim: ',', fields: [2]int{7, 7}, likely: Likely,
	columns: []textColumn{{"timestamp", 0, false}, {"key", 1, false}, {"key size", 2, false}, {"value size", 3, false},
		{"operation", 5, false}, {"ttl", 6, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		r.setID(f[1])
		if err := r.setSizes(f[2], f[3]); err != nil {
			return err
		}
		if err := r.setOp(f[4]); err != nil {
			return err
		}
		return r.setTTL(f[5])
	},
}

// setSizes makes the size of r that of a key and its value.
func (r *row) setSizes(key, value []byte) error {
	k, err := number("key size", key)
	if err != nil {
		return err
	}
	v, err := number("value size", value)
	if err != nil {
		return err
	}
	r.Size = int64(min(uint64(k)+uint64(v), 1<<63-1))
	return nil
}

var metaKV = &table{
	name: "meta-kv", doc: "CSV with a header: key,op,size,op_count,key_size and, in 2024, op_time and ttl (Meta kvcache)",
	tick: time.Second, delim: ',', quoted: true, header: mustHeader,
	columns: []textColumn{{"key", -1, false}, {"op", -1, false}, {"size", -1, false}, {"op_count", -1, false},
		{"key_size", -1, false}, {"op_time", -1, true}, {"ttl", -1, true}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		r.setID(f[0])
		if err := r.setOp(f[1]); err != nil {
			return err
		}
		if err := r.setSizes(f[4], f[2]); err != nil {
			return err
		}
		if err := r.repeat(f[3]); err != nil {
			return err
		}
		if f[5] != nil {
			if err := r.setTime(f[5], 0); err != nil {
				return err
			}
		}
		return r.setTTL(f[6])
	},
}

var ibmObject = &table{
	name: "ibm-object-store", doc: "text: ts_ms REST.GET.OBJECT id size [range_start range_end] (IBM Cloud Object Storage)",
	tick: time.Millisecond, fields: [2]int{3, 6}, likely: Likely,
	columns: []textColumn{{"timestamp", 0, false}, {"operation", 1, false}, {"id", 2, false}, {"size", 3, true},
		{"range start", 4, true}, {"range end", 5, true}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		if !isHex(f[2]) {
			return fmt.Errorf("id %s is not hexadecimal", quote(f[2]))
		}
		verb, object := bytes.CutPrefix(f[1], []byte("REST."))
		if !object {
			return fmt.Errorf("operation %s does not start with REST", quote(f[1]))
		}
		switch string(verb) {
		case "GET.OBJECT", "PUT.OBJECT", "DELETE.OBJECT":
			if err := r.setOp(bytes.TrimSuffix(verb, []byte(".OBJECT"))); err != nil {
				return err
			}
		case "HEAD.OBJECT", "COPY.OBJECT":
			r.skip = "of HEAD and COPY, which move no data through a cache"
			return nil
		default:
			return fmt.Errorf("operation %s is not known", quote(f[1]))
		}
		r.Text = f[2]
		if f[3] == nil {
			if string(verb) == "DELETE.OBJECT" {
				return nil
			}
			return fmt.Errorf("%s has no size", f[1])
		}
		return r.setSize(f[3])
	},
}
