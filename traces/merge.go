package traces

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"cachesim/sim"
)

// A mergedFile is one of the files that are merged, with those of its records
// that were decoded and are not passed on yet.
type mergedFile struct {
	*decodedFile
	raw     io.Closer
	hash    *fileHash
	records []Record
	next    int // index of the first of records that is left
	tick    time.Duration
	prompts *sim.Prompts
	err     error // behind the records
	ended   bool
	sum     func() string // SHA-256 of the file; nil: it was not read whole
}

// merge decodes files side by side and passes on their records by time. Of
// records with the same time those of the file that was named first come first,
// and within a file the order stays, so that the blocks of a prompt, which have
// one time, stay together.
func (d *decoding) merge(files []file) (err error) {
	var all []*mergedFile
	defer func() {
		for _, m := range all {
			if serr := m.stop(); err == nil {
				err = serr
			}
		}
	}()
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
		m, err := d.openMerged(f)
		if m != nil {
			all = append(all, m)
		}
		if err != nil {
			return err
		}
	}
	for _, m := range all {
		if err := d.refill(m); err != nil {
			return err
		}
	}
	tick, err := commonTick(all)
	if err != nil {
		return err
	}
	for !d.done() {
		b, err := d.empty()
		if err != nil {
			return err
		}
		b.grow()
		b.records = mergeRecords(b.records[:0], all, tick)
		last := len(b.records) == 0
		b.tick, b.prompts, b.file = tick, all[0].prompts, strings.Join(names, " ")
		// The texts of records are valid until the next call of Decode.
		if err := d.pass(b); err != nil {
			return err
		}
		if last || d.done() {
			break
		}
		for _, m := range all {
			if err := d.refill(m); err != nil {
				return err
			}
		}
	}
	whole := !d.done()
	for _, m := range all {
		d.report(m.decodedFile)
		whole = whole && m.sum != nil
	}
	if whole {
		d.sha256 = func() string { return sumOfSums(all) }
	}
	d.reports = append(d.reports, fmt.Sprintf("%d files were merged by time", len(all)))
	return nil
}

// sumOfSums returns the SHA-256 of those of the files; empty: one is not known.
func sumOfSums(all []*mergedFile) string {
	sums := sha256.New()
	for _, m := range all {
		sum := m.sum()
		if sum == "" {
			return ""
		}
		io.WriteString(sums, sum)
	}
	return hex.EncodeToString(sums.Sum(nil))
}

// openMerged opens a file. It returns what has to be stopped even if it fails.
func (d *decoding) openMerged(f file) (*mergedFile, error) {
	r, err := f.open()
	if err != nil {
		return nil, &fileError{err: err}
	}
	hash := newFileHash()
	r = hash.follow(r)
	in := newInput(&progressReader{r, d.o.Progress}, f.member, f.pipe)
	m := &mergedFile{decodedFile: &decodedFile{file: f, in: in}, raw: r, hash: hash}
	o, err := d.begin(in, f)
	if err != nil {
		return m, inFile(err, f)
	}
	m.decodedFile, m.records = o, make([]Record, 0, batchSize)
	return m, nil
}

// stop ends the reading of a file, if it has not ended.
func (m *mergedFile) stop() error {
	if m.ended {
		return nil
	}
	m.ended = true
	err := m.close()
	m.in.stop(!m.pipe)
	drained := m.in.isDrained()
	if m.pipe && !drained { // the input may still write to the hash
		go m.hash.abandonAfter(m.in)
		return err
	}
	m.raw.Close()
	if !drained {
		m.hash.abandon()
		return err
	}
	m.hash.end()
	m.sum = m.hash.sum
	return err
}

// refill decodes the next records of m if none are left.
func (d *decoding) refill(m *mergedFile) error {
	for m.next == len(m.records) && !m.ended {
		err := m.err
		m.err = nil
		var syntax *SyntaxError
		switch {
		case err == io.EOF:
			// What a format does not read is part of the file's hash.
			if _, err = io.Copy(io.Discard, m.in); err == nil {
				err = m.stop()
			}
		case errors.As(err, &syntax):
			err = d.tolerate(syntax, m.file)
		}
		if err != nil {
			return inFile(err, m.file)
		}
		if m.ended {
			break
		}
		var n int
		n, m.prompts, m.err = d.decode(m.decodedFile, m.records[:batchSize])
		m.records, m.next, m.tick = m.records[:n], 0, d.tick(m.decodedFile)
	}
	return nil
}

// commonTick returns the finest unit of the files' times.
func commonTick(all []*mergedFile) (time.Duration, error) {
	tick := time.Duration(0)
	for _, m := range all {
		if m.tick == 0 {
			return 0, &fileError{m.name, errors.New("it has no times by which it could be merged")}
		}
		if (m.prompts != nil) != (all[0].prompts != nil) {
			return 0, &fileError{m.name, errMixedPrompts}
		}
		if tick == 0 || m.tick < tick {
			tick = m.tick
		}
	}
	return tick, nil
}

// mergeRecords appends records by time to dst, as many as fit or as there are
// until a file has none left.
func mergeRecords(dst []Record, all []*mergedFile, tick time.Duration) []Record {
	for len(dst) < cap(dst) {
		var first *mergedFile
		var at, limit int64 // times of the first file's next record, and of the earliest other
		ahead, bounded := false, false
		for _, m := range all {
			if m.next == len(m.records) {
				if m.ended {
					continue
				}
				return dst
			}
			t := convert(m.records[m.next].Time, m.tick, tick)
			switch {
			case first == nil:
				first, at = m, t
			case t < at:
				// The one so far was named before this one.
				limit, ahead, bounded = at, false, true
				first, at = m, t
			case !bounded || t < limit:
				limit, ahead, bounded = t, true, true
			}
		}
		if first == nil {
			return dst
		}
		for first.next < len(first.records) && len(dst) < cap(dst) {
			r := first.records[first.next]
			r.Time = convert(r.Time, first.tick, tick)
			if bounded && (r.Time > limit || r.Time == limit && !ahead) {
				break
			}
			dst = append(dst, r)
			first.next++
		}
	}
	return dst
}
