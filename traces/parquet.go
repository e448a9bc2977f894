package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"cachesim/sim"

	"github.com/parquet-go/parquet-go"
)

// Parquet is the format of Pelikan's cachesim: a Parquet file with the columns
// of oracleGeneral and, optionally, operations and times to live.
var Parquet = Format{
	Name: "parquet",
	Doc:  "Parquet, columns timestamp (ns), obj_id, obj_size, next_access_vtime, op, ttl",
	Tick: time.Nanosecond,
	Probe: func(head []byte, whole bool) (Confidence, string) {
		if !bytes.HasPrefix(head, []byte(parquetMagic)) {
			return No, "it does not start with the magic number of Parquet"
		}
		return Certain, "it starts with the magic number of Parquet"
	},
	New: func(r io.Reader, _ Args) (Decoder, error) { return &parquetDecoder{r: r}, nil },
}

const parquetMagic = "PAR1"

// The columns of a trace in Parquet.
const (
	parquetTime = iota
	parquetID
	parquetSize
	parquetNext
	parquetOp
	parquetTTL
)

var parquetColumns = [...]struct {
	name     string
	optional bool
}{
	parquetTime: {"timestamp", true},
	parquetID:   {"obj_id", false},
	parquetSize: {"obj_size", false},
	parquetNext: {"next_access_vtime", true},
	parquetOp:   {"op", true},
	parquetTTL:  {"ttl", true},
}

// parquetDecoder reads the columns of a file side by side, page by page. What
// describes the file is at its end, so that a reader that is no file is copied
// to a temporary one first.
type parquetDecoder struct {
	r       io.Reader
	opened  bool
	copied  int64    // bytes that the temporary file has
	file    *os.File // temporary; nil: r is a file
	columns [len(parquetColumns)]*parquetColumn
	left    int64 // rows that are not in the columns' buffers yet
	row     int64 // rows that were decoded
	i, n    int   // the next row in the buffers, and how many there are
	none    int64 // rows without an operation
	err     error
}

// parquetBatch is how many values of a column are read at once.
const parquetBatch = 1024

// parquetColumn reads the values of a column.
type parquetColumn struct {
	pages  parquet.Pages
	values parquet.ValueReader // of a page; nil: the next one is to be read
	buf    [parquetBatch]parquet.Value
}

func (d *parquetDecoder) Decode(dst []Record) (int, error) {
	if !d.opened && d.err == nil {
		d.opened = true
		d.err = d.guard(d.open)
	}
	n := 0
	for n < len(dst) {
		if d.i == d.n {
			if n > 0 {
				return n, nil
			}
			if d.err == nil {
				d.err = d.guard(d.fill)
			}
			if d.err != nil {
				err := d.err
				d.close()
				d.err = io.EOF
				return n, err
			}
		}
		err := d.record(&dst[n])
		d.i++
		d.row++
		if err != nil {
			return n, &SyntaxError{Msg: fmt.Sprintf("row %d: %v", d.row, err)}
		}
		n++
	}
	return n, nil
}

// guard calls f, and makes an error of a panic: the library does not check all
// of what a damaged file says.
func (d *parquetDecoder) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its Parquet data is damaged: %v", p)
		}
	}()
	return f()
}

func (d *parquetDecoder) open() error {
	r, size, err := d.readerAt()
	if err != nil {
		return err
	}
	if size == 0 {
		return io.EOF
	}
	if err := checkFooter(r, size); err != nil {
		return fmt.Errorf("its Parquet data is damaged or cut off: %w", err)
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("its Parquet data is damaged or cut off: %w", err)
	}
	var missing []string
	for i, c := range parquetColumns {
		col := f.Root().Column(c.name)
		switch {
		case col == nil && !c.optional:
			missing = append(missing, c.name)
		case col == nil:
		case !col.Leaf() || col.Repeated():
			return fmt.Errorf("its column %s has no single values", c.name)
		default:
			if err := checkChunks(f, r, col.Index(), size); err != nil {
				return fmt.Errorf("its column %s is damaged: %w", c.name, err)
			}
			d.columns[i] = &parquetColumn{pages: col.Pages()}
		}
	}
	if missing != nil {
		return fmt.Errorf("it is a Parquet file without the column %s", strings.Join(missing, ", "))
	}
	d.left = f.NumRows()
	return nil
}

// readerAt returns the whole file for random access.
func (d *parquetDecoder) readerAt() (io.ReaderAt, int64, error) {
	if f, ok := d.r.(*os.File); ok {
		info, err := f.Stat()
		if at, seekErr := f.Seek(0, io.SeekCurrent); err == nil && seekErr == nil && at == 0 && info.Mode().IsRegular() {
			return f, info.Size(), nil
		}
	}
	var err error
	if d.file, err = os.CreateTemp("", "cachesim-*.parquet"); err != nil {
		return nil, 0, fmt.Errorf("copy the Parquet data to a temporary file: %w", err)
	}
	// Where an open file can be removed, nothing stays behind after a crash.
	// Elsewhere this fails, and close does it.
	_ = os.Remove(d.file.Name())
	d.copied, err = io.Copy(d.file, d.r)
	if err != nil {
		return nil, 0, fmt.Errorf("copy the Parquet data to a temporary file: %w", err)
	}
	return d.file, d.copied, nil
}

func (d *parquetDecoder) close() {
	for _, c := range d.columns {
		if c != nil {
			_ = c.pages.Close()
		}
	}
	d.columns = [len(parquetColumns)]*parquetColumn{}
	if d.file != nil {
		d.file.Close()
		_ = os.Remove(d.file.Name())
		d.file = nil
	}
}

// fill reads the next values of all columns.
func (d *parquetDecoder) fill() error {
	if d.left <= 0 {
		return io.EOF
	}
	n := int(min(d.left, parquetBatch))
	for i, c := range d.columns {
		if c == nil {
			continue
		}
		if err := c.read(n); err != nil {
			return fmt.Errorf("read its column %s after row %d: %w", parquetColumns[i].name, d.row, err)
		}
	}
	d.left -= int64(n)
	d.i, d.n = 0, n
	return nil
}

// read fills the first n values of c's buffer.
func (c *parquetColumn) read(n int) error {
	for have := 0; have < n; {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			c.values = page.Values()
		}
		m, err := c.values.ReadValues(c.buf[have:n])
		have += m
		if err == io.EOF || err == nil && m == 0 {
			c.values = nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// value returns column i of the current row.
func (d *parquetDecoder) value(i int) (parquet.Value, bool) {
	c := d.columns[i]
	if c == nil || c.buf[d.i].IsNull() {
		return parquet.Value{}, false
	}
	return c.buf[d.i], true
}

// number returns column i of the current row as a number, or def if there is
// none.
func (d *parquetDecoder) number(i int, def int64) (int64, error) {
	v, ok := d.value(i)
	if !ok {
		return def, nil
	}
	switch v.Kind() {
	case parquet.Int32:
		if i == parquetSize || i == parquetOp { // unsigned
			return int64(v.Uint32()), nil
		}
		return int64(v.Int32()), nil
	case parquet.Int64:
		return v.Int64(), nil
	}
	return 0, fmt.Errorf("%s is no whole number", parquetColumns[i].name)
}

// record makes r of the current row.
func (d *parquetDecoder) record(r *Record) error {
	*r = Record{}
	id, ok := d.value(parquetID)
	if !ok {
		return errors.New("obj_id is null")
	}
	switch id.Kind() {
	case parquet.Int32:
		r.Key = uint64(id.Uint32())
	case parquet.Int64:
		r.Key = id.Uint64()
	case parquet.ByteArray, parquet.FixedLenByteArray:
		r.setID(id.ByteArray())
	default:
		return errors.New("obj_id is neither a whole number nor text")
	}
	var err [5]error
	var next, op, ttl int64
	r.Size, err[0] = d.number(parquetSize, 0)
	r.Time, err[1] = d.number(parquetTime, 0)
	next, err[2] = d.number(parquetNext, -1)
	op, err[3] = d.number(parquetOp, 1)
	ttl, err[4] = d.number(parquetTTL, 0)
	for _, e := range err {
		if e != nil {
			return e
		}
	}
	if uint64(r.Size) > sim.MaxSize {
		return errors.New(wrongSize(uint64(r.Size), true))
	}
	if next < -1 {
		return fmt.Errorf("next access %d is neither an index nor -1", next)
	}
	r.TTL = seconds(ttl)
	switch libCacheSimOps(uint64(op)) {
	case opGet:
	case opSet:
		r.Op = sim.Set
	case opDelete:
		r.Op = sim.Delete
	case opNone:
		d.none++
	default:
		return fmt.Errorf("operation code %d is not one of libCacheSim", op)
	}
	return nil
}

// Close frees the temporary file of a decoder that is not read to its end.
func (d *parquetDecoder) Close() error {
	d.close()
	d.i, d.n, d.err, d.opened = 0, 0, io.EOF, true
	return nil
}

func (d *parquetDecoder) Report() []string {
	var lines []string
	if d.copied > 0 {
		lines = append(lines, fmt.Sprintf("%.1f MiB of Parquet data were copied to a temporary file first", float64(d.copied)/(1<<20)))
	}
	if d.none > 0 {
		lines = append(lines, fmt.Sprintf("read as get: %s without an operation (nop)", countRequests(d.none)))
	}
	return lines
}
