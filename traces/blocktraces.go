package traces

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"cachesim/sim"
)

// The block traces: a request reads or writes a range of a volume, and the
// parameter block says what the objects are.

var msr = &table{
	name: "msr", doc: "CSV: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime (MSR Cambridge)",
	tick: 100 * time.Nanosecond, params: []Param{blockParam},
	delim: ',', header: mayHeader, fields: [2]int{7, 7}, likely: Likely,
	columns: []textColumn{{"Timestamp", 0, false}, {"Hostname", 1, false}, {"DiskNumber", 2, false}, {"Type", 3, false},
		{"Offset", 4, false}, {"Size", 5, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		if err := r.setOp(f[3]); err != nil {
			return err
		}
		return r.rangeOf(d.join(f[1], f[2]), f[4], f[5], 1, 1)
	},
}

var spc = &table{
	name: "spc", doc: "CSV: ASU,LBA,Size,Opcode,Timestamp (Storage Performance Council, UMass)",
	tick: time.Microsecond, params: []Param{blockParam},
	delim: ',', fields: [2]int{5, manyFields}, likely: Likely,
	columns: []textColumn{{"ASU", 0, false}, {"LBA", 1, false}, {"Size", 2, false}, {"Opcode", 3, false}, {"Timestamp", 4, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if len(f[3]) != 1 {
			return fmt.Errorf("operation %s is neither r nor w", quote(f[3]))
		}
		if err := r.setOp(f[3]); err != nil {
			return err
		}
		if err := r.setTime(f[4], 6); err != nil {
			return err
		}
		if _, err := number("ASU", f[0]); err != nil {
			return err
		}
		return r.rangeOf(f[0], f[1], f[2], sector, 1)
	},
}

var arcLis = &table{
	name: "arc-lis", doc: "text: start_block n_blocks ignored request_number, blocks of 512 bytes (ARC)",
	params: []Param{{blockParam.Name, "512", blockParam.Doc}},
	fields: [2]int{4, 4}, likely: Likely,
	columns: []textColumn{{"start", 0, false}, {"blocks", 1, false}, {"ignored", 2, false}, {"number", 3, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if _, err := number("request number", f[3]); err != nil {
			return err
		}
		if _, err := number("third field", f[2]); err != nil {
			return err
		}
		// The number rises by one a line, which the probe looks at.
		n, _ := parseUint(f[3])
		r.Key = n
		return r.rangeOf(nil, f[0], f[1], sector, sector)
	},
	accept: func(_ *tableDecoder, rows []row) string {
		for i := 1; i < len(rows); i++ {
			if rows[i].Key != rows[i-1].Key+1 {
				return "its request numbers do not count up"
			}
		}
		if len(rows) < 2 {
			return "one request is too few to recognise it"
		}
		return ""
	},
}

var lirsTrc = &table{
	name: "lirs-trc", doc: "text: a block number a line, size 1; lines with * are left out (LIRS)",
	fields: [2]int{1, 1}, likely: Likely,
	columns: []textColumn{{"block", 0, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if len(f[0]) == 1 && f[0][0] == '*' {
			r.skip = headerLine
			d.marks++
			return nil
		}
		n, err := number("block", f[0])
		r.Key, r.Size = uint64(n), 1
		return err
	},
	accept: func(d *tableDecoder, _ []row) string {
		if d.marks == 0 {
			return "it has no line with *"
		}
		return ""
	},
}

var systor = &table{
	name: "systor17", doc: "CSV: Timestamp,Response,IOType,LUN,Offset,Size (SYSTOR '17)",
	tick: time.Nanosecond, params: []Param{blockParam},
	delim: ',', header: mayHeader, fields: [2]int{6, 6}, likely: Likely,
	columns: []textColumn{{"Timestamp", 0, false}, {"Response", 1, false}, {"IOType", 2, false}, {"LUN", 3, false},
		{"Offset", 4, false}, {"Size", 5, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if len(f[2]) == 0 {
			r.skip = "without a type"
			return nil
		}
		if err := r.setTime(f[0], 9); err != nil {
			return err
		}
		if _, ok := parseDecimal(f[1], 0); !ok && len(f[1]) > 0 {
			return fmt.Errorf("response time %s is not a number", quote(f[1]))
		}
		if len(f[2]) != 1 {
			return fmt.Errorf("type %s is neither R nor W", quote(f[2]))
		}
		if err := r.setOp(f[2]); err != nil {
			return err
		}
		return r.rangeOf(f[3], f[4], f[5], 1, 1)
	},
}

var fiu = &table{
	name: "fiu", doc: "text: ts_ns pid process lba size_sectors W|R major minor md5 (FIU)",
	tick: time.Nanosecond, params: []Param{blockParam},
	fields: [2]int{8, 9}, likely: Likely,
	columns: []textColumn{{"ts", 0, false}, {"pid", 1, false}, {"lba", 3, false}, {"size", 4, false}, {"op", 5, false},
		{"major", 6, false}, {"minor", 7, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		if _, err := number("process id", f[1]); err != nil {
			return err
		}
		if err := r.setOp(f[4]); err != nil {
			return err
		}
		return r.rangeOf(d.join(f[5], f[6]), f[2], f[3], sector, sector)
	},
}

var tencentBlock = &table{
	name: "tencent-block", doc: "CSV: Timestamp,Offset,Size,IOType,VolumeID, in sectors (Tencent CBS)",
	tick: time.Second,
	params: []Param{blockParam,
		{"sector", "512", "bytes in 1 of the offset and the size; 1 for copies that have bytes"}},
	delim: ',', header: mayHeader, fields: [2]int{5, 5}, likely: Likely,
	columns: []textColumn{{"Timestamp", 0, false}, {"Offset", 1, false}, {"Size", 2, false}, {"IOType", 3, false}, {"VolumeID", 4, false}},
	start: func(d *tableDecoder, args Args) error {
		n, err := parseBytes(args["sector"])
		if err != nil || n < 1 || n > 1<<16 {
			return fmt.Errorf("sector %q is not a number of bytes from 1 to 65536", args["sector"])
		}
		d.unit = n
		return nil
	},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		switch string(f[3]) {
		case "0":
		case "1":
			r.Op = sim.Set
		default:
			return fmt.Errorf("type %s is neither 0 (read) nor 1 (write)", quote(f[3]))
		}
		return r.rangeOf(f[4], f[1], f[2], d.unit, d.unit)
	},
	accept: func(_ *tableDecoder, rows []row) string {
		for _, r := range rows {
			if r.Time < 1e9 || r.Time > 4e9 {
				return "its times are not in seconds since 1970"
			}
		}
		return ""
	},
}

var alibabaBlock = &table{
	name: "alibaba-block", doc: "CSV: device_id,opcode,offset,length,timestamp (Alibaba block)",
	tick: time.Microsecond, params: []Param{blockParam},
	delim: ',', header: mayHeader, fields: [2]int{5, 5}, likely: Likely,
	columns: []textColumn{{"device_id", 0, false}, {"opcode", 1, false}, {"offset", 2, false}, {"length", 3, false}, {"timestamp", 4, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[4], 0); err != nil {
			return err
		}
		if err := r.setOp(f[1]); err != nil {
			return err
		}
		return r.rangeOf(f[0], f[2], f[3], 1, 1)
	},
}

var k5cloud = &table{
	name: "k5cloud", doc: "CSV: ID,Timestamp,Type,Offset,Length (Fujitsu K5)",
	tick: time.Microsecond, params: []Param{blockParam},
	delim: ',', header: mayHeader, fields: [2]int{5, 5}, likely: Likely,
	columns: []textColumn{{"ID", 0, false}, {"Timestamp", 1, false}, {"Type", 2, false}, {"Offset", 3, false}, {"Length", 4, false}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[1], 6); err != nil {
			return err
		}
		if err := r.setOp(f[2]); err != nil {
			return err
		}
		return r.rangeOf(f[0], f[3], f[4], 1, 1)
	},
}

var thesios = &table{
	name: "thesios", doc: "CSV with a header: filename,file_offset,...,op_type,...,request_io_size_bytes,...,start_time (Google)",
	tick: time.Microsecond, params: []Param{blockParam},
	delim: ',', header: mustHeader,
	columns: []textColumn{{"filename", 0, false}, {"file_offset", 1, false}, {"op_type", 6, false},
		{"request_io_size_bytes", 10, false}, {"start_time", 13, true}},
	start: namedVolumes,
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if f[4] != nil {
			if err := r.setTime(f[4], 6); err != nil {
				return err
			}
		}
		if err := r.setOp(f[2]); err != nil {
			return err
		}
		return r.rangeOf(f[0], f[1], f[3], 1, 1)
	},
}

// namedVolumes makes ids "volume:offset", for formats with many volumes.
func namedVolumes(d *tableDecoder, _ Args) error {
	d.ranger.named = true
	return nil
}

var tectonic = &table{
	name: "meta-storage", doc: "CSV with a header: op_time,block_id,...,op_name,op_count,io_offset,io_size,... (Meta Tectonic)",
	tick: time.Second, params: []Param{blockParam},
	delim: ',', quoted: true, header: mustHeader,
	columns: []textColumn{{"op_time", -1, false}, {"block_id", -1, false}, {"rs_shard_id", -1, true}, {"op_name", -1, false},
		{"op_count", -1, true}, {"io_offset", -1, false}, {"io_size", -1, false}},
	start: namedVolumes,
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if err := r.setTime(f[0], 0); err != nil {
			return err
		}
		switch {
		case bytes.HasPrefix(f[3], []byte("getChunk")):
		case bytes.HasPrefix(f[3], []byte("putChunk")):
			r.Op = sim.Set
		default:
			return fmt.Errorf("operation %s starts with neither getChunk nor putChunk", quote(f[3]))
		}
		if f[4] != nil {
			if err := r.repeat(f[4]); err != nil {
				return err
			}
		}
		return r.rangeOf(d.shard(f[1], f[2]), f[5], f[6], 1, 1)
	},
}

// shard returns the name of a block, or of the shard of one that is stored with
// an erasure code: the offset counts from its start.
func (d *tableDecoder) shard(block, shard []byte) []byte {
	if len(shard) == 0 || len(shard) == 1 && shard[0] == '0' {
		return block
	}
	return d.join(block, shard)
}

var baleen = &table{
	name: "baleen", doc: "text: block io_offset io_size op_time op_name user_ns user [rs_shard_id op_count host] (Baleen)",
	tick: time.Microsecond, params: []Param{blockParam},
	fields: [2]int{7, 11}, likely: Likely,
	columns: []textColumn{{"block", 0, false}, {"io_offset", 1, false}, {"io_size", 2, false}, {"op_time", 3, false},
		{"op_name", 4, false}, {"rs_shard_id", 7, true}, {"op_count", 8, true}},
	start: namedVolumes,
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		if len(f[0]) > 0 && f[0][0] == '#' {
			// "# block io_offset ...": the names are one field behind.
			if err := d.baleenHeader(); err != nil {
				return err
			}
			r.skip = headerLine
			return nil
		}
		if err := r.setTime(f[3], 6); err != nil {
			return err
		}
		switch string(f[4]) {
		case "1", "2", "5": // getChunkData.Temp, .Permanent, .NotInitialized
		case "3", "4": // putChunk.Temp, .Permanent
			r.Op = sim.Set
		default:
			return fmt.Errorf("operation %s is not one of 1 to 5", quote(f[4]))
		}
		if f[6] != nil {
			if err := r.repeat(f[6]); err != nil {
				return err
			}
		}
		if _, err := number("block", f[0]); err != nil {
			return err
		}
		return r.rangeOf(d.shard(f[0], f[5]), f[1], f[2], 1, 1)
	},
}

// baleenHeader reads the names of the columns of the current line, whose first
// field is or starts with #. An older layout has a pipeline where later ones
// have the shard.
func (d *tableDecoder) baleenHeader() error {
	f := d.f
	if len(f[0]) == 1 {
		f = f[1:]
	} else {
		f[0] = f[0][1:]
	}
	known := 0
	index := make([]int, len(d.t.columns))
	for i, c := range d.t.columns {
		index[i] = -1
		for j, b := range f {
			if string(b) == c.name || c.name == "block" && string(b) == "block_id" {
				index[i] = j
				known++
			}
		}
	}
	if known == 0 {
		return nil // a comment
	}
	for i, c := range d.t.columns {
		if index[i] < 0 && !c.optional {
			return fmt.Errorf("its header line has no column %s", c.name)
		}
	}
	d.index, d.head = index, bytes.Join(f, []byte{' '})
	return nil
}

var etw = &table{
	name: "ms-etw", doc: "text with a header: DiskRead and DiskWrite events of Event Tracing for Windows (Microsoft Enterprise)",
	tick: time.Microsecond, params: []Param{blockParam},
	delim: ',', fields: [2]int{1, manyFields}, likely: No,
	columns: []textColumn{{"event", 0, false}, {"TimeStamp", 1, true}, {"ByteOffset", 5, true}, {"IOSize", 6, true}, {"DiskNum", 8, true}},
	row: func(d *tableDecoder, f [][]byte, r *row) error {
		event := bytes.TrimSpace(f[0])
		r.skip = headerLine
		switch string(event) {
		case "BeginHeader":
			d.inHeader, d.head = true, []byte("BeginHeader")
			return nil
		case "EndHeader":
			d.inHeader = false
			return nil
		}
		if d.inHeader {
			return nil
		}
		if d.head == nil {
			return errors.New("it does not start with BeginHeader")
		}
		switch string(event) {
		case "DiskRead":
		case "DiskWrite":
			r.Op = sim.Set
		default:
			r.skip = "of events other than DiskRead and DiskWrite"
			return nil
		}
		r.skip = ""
		if f[4] == nil {
			return errors.New("want 9 fields or more in a disk event")
		}
		for i := range f {
			f[i] = bytes.TrimSpace(f[i])
		}
		if err := r.setTime(f[1], 0); err != nil {
			return err
		}
		offset, ok := parseHex(f[2])
		if !ok || offset > 1<<62 {
			return fmt.Errorf("offset %s is not a hexadecimal number", quote(f[2]))
		}
		size, ok := parseHex(f[3])
		if !ok || size > sim.MaxSize {
			return fmt.Errorf("size %s is not a hexadecimal number of bytes", quote(f[3]))
		}
		r.ranged = true
		r.span = span{volume: f[4], offset: int64(offset), length: int64(size), unit: 1}
		return nil
	},
}
