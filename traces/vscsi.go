package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// VSCSI is the binary format of VMware's vscsiStats, in which the CloudPhysics
// traces were recorded. Its records have their version in them.
var VSCSI = Format{
	Name:   "vscsi",
	Doc:    "binary, 32 or 40 bytes a request: block I/O of virtual disks, versions 1 and 2",
	Tick:   time.Microsecond,
	Params: []Param{blockParam},
	Probe:  probeVSCSI,
	New: func(r io.Reader, args Args) (Decoder, error) {
		g, err := newRanger(args[blockParam.Name])
		if err != nil {
			return nil, err
		}
		return &vscsi{r: r, ranger: g}, nil
	},
}

const sector = 512 // bytes

var vscsiLayouts = []*layout{
	{
		name: "vscsi", record: 32, tick: time.Microsecond, ops: scsiOps,
		size: u32(4), op: u16(12), id: u64(16), time: u64(24),
		check: func(b []byte) bool { return vscsiVersion(b[14:]) == 1 && b[13] == 0 },
	},
	{
		name: "vscsi", record: 40, tick: time.Microsecond, ops: scsiOps,
		op: u16(0), size: u32(8), id: u64(16), time: u64(24),
		check: func(b []byte) bool { return vscsiVersion(b[2:]) == 2 && b[1] == 0 },
	},
}

// vscsiVersion returns the major version in the u16 at the start of b.
func vscsiVersion(b []byte) int { return int(binary.LittleEndian.Uint16(b) >> 8) }

func probeVSCSI(head []byte, whole bool) (c Confidence, why string) {
	for i, l := range vscsiLayouts {
		if c, why = l.probe(head, whole); c != No {
			if len(head) >= 4*l.record {
				c = min(c+1, Certain)
			}
			return c, fmt.Sprintf("its records say that they are of vscsi version %d", i+1)
		}
	}
	return c, why
}

// vscsi finds out the version from the first records.
type vscsi struct {
	r      io.Reader
	ranger ranger
	Decoder
	err error // that Decode returns instead
}

func (d *vscsi) Decode(dst []Record) (int, error) {
	if d.Decoder == nil && d.err == nil {
		d.open()
	}
	if d.err != nil {
		err := d.err
		d.err = io.EOF
		return 0, err
	}
	return d.Decoder.Decode(dst)
}

func (d *vscsi) open() {
	var head [40]byte
	n, err := io.ReadFull(d.r, head[:])
	if err != nil && err != io.ErrUnexpectedEOF {
		d.err = err
		return
	}
	for _, l := range vscsiLayouts {
		// The record of another version has a serial number in its place.
		if n >= l.record && l.check(head[:]) {
			b := newBinary(io.MultiReader(bytes.NewReader(head[:n]), d.r), l)
			if d.Decoder = b; d.ranger.block > 0 {
				d.Decoder = &binaryRanges{d: b, unit: sector, ranger: d.ranger}
			}
			return
		}
	}
	d.err = &SyntaxError{Msg: "its first record is of neither version 1 nor version 2: the file is cut off or is not vscsi"}
}

func (d *vscsi) Report() []string {
	if r, ok := d.Decoder.(*binaryRanges); ok {
		return r.Report()
	}
	lines := d.ranger.report()
	if r, ok := d.Decoder.(*binaryDecoder); ok {
		lines = append(lines, r.Report()...)
	}
	return lines
}
