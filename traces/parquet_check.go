package traces

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The library reserves memory for sizes that a Parquet file claims. They are compared with what the
// file can hold before, so that a few damaged bytes do not end the program.

// checkFooter checks the length of the footer that a file ends with.
func checkFooter(r io.ReaderAt, size int64) error {
	var end [8]byte
	if size < int64(len(end)+len(parquetMagic)) {
		return io.ErrUnexpectedEOF
	}
	if _, err := r.ReadAt(end[:], size-int64(len(end))); err != nil {
		return err
	}
	if string(end[4:]) != parquetMagic {
		return errors.New("it does not end with the magic number of Parquet")
	}
	if n := int64(binary.LittleEndian.Uint32(end[:])); n > size-int64(len(end)+len(parquetMagic)) {
		return fmt.Errorf("its footer has %d bytes, but the file %d", n, size)
	}
	return nil
}

// checkChunks checks what the file says of a column, and that its decompressor is one that has a
// bound.
func checkChunks(f *parquet.File, r io.ReaderAt, column int, size int64) error {
	var rows int64
	for _, g := range f.Metadata().RowGroups {
		rows += g.NumRows
		if g.NumRows < 0 || column >= len(g.Columns) {
			return errors.New("a row group has other columns than the file")
		}
		m := &g.Columns[column].MetaData
		switch m.Codec {
		case format.Uncompressed, format.Snappy, format.Gzip, format.Zstd:
		default:
			return fmt.Errorf("compression %v is not supported: one of none, snappy, gzip, zstd", m.Codec)
		}
		start := m.DataPageOffset
		if m.DictionaryPageOffset > 0 {
			start = min(start, m.DictionaryPageOffset)
		}
		const most = 1 << 31 // bytes of a chunk
		if m.TotalUncompressedSize > most {
			return fmt.Errorf("a column of a row group has %d bytes; at most %d are read: write smaller row groups", m.TotalUncompressedSize, int64(most))
		}
		if m.NumValues != g.NumRows || start < 0 || m.TotalCompressedSize < 0 || m.TotalCompressedSize > size-start ||
			m.TotalUncompressedSize < 0 {
			return fmt.Errorf("%d values of %d rows in %d bytes at byte %d of %d", m.NumValues, g.NumRows, m.TotalCompressedSize, start, size)
		}
		if err := checkPages(r, start, m); err != nil {
			return err
		}
	}
	if rows != f.NumRows() {
		return fmt.Errorf("its row groups have %d rows, but it has %d", rows, f.NumRows())
	}
	return nil
}

// checkPages checks the sizes in the headers of a chunk's pages and of their compressed data.
func checkPages(r io.ReaderAt, start int64, m *format.ColumnMetaData) error {
	var protocol thrift.CompactProtocol
	for at, end := start, start+m.TotalCompressedSize; at < end; {
		section := io.NewSectionReader(r, at, end-at)
		buffered := bufio.NewReaderSize(section, 512)
		var h format.PageHeader
		if err := thrift.NewDecoder(protocol.NewReader(buffered)).Decode(&h); err != nil {
			return fmt.Errorf("the header of the page at byte %d: %w", at, err)
		}
		read, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		data := at + read - int64(buffered.Buffered())
		compressed, plain := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
		if compressed < 0 || compressed > end-data || plain < 0 || plain > m.TotalUncompressedSize {
			return fmt.Errorf("the page at byte %d has %d bytes, and %d without compression, in a chunk of %d and %d", at, compressed, plain, m.TotalCompressedSize, m.TotalUncompressedSize)
		}
		skip := int64(0)
		if v2 := h.DataPageHeaderV2; v2.Valid { // its levels are not compressed
			skip = int64(v2.V.RepetitionLevelsByteLength) + int64(v2.V.DefinitionLevelsByteLength)
		}
		if skip < 0 || skip > compressed {
			return fmt.Errorf("the page at byte %d has %d bytes of levels in %d", at, skip, compressed)
		}
		claimed, err := claimedSize(m.Codec, io.NewSectionReader(r, data+skip, compressed-skip))
		if err != nil {
			return err
		}
		if claimed > uint64(plain) {
			return fmt.Errorf("the data of the page at byte %d claims to have %d bytes without compression, its header %d", at, claimed, plain)
		}
		at = data + compressed
	}
	return nil
}

// claimedSize returns how many bytes compressed data says it has without compression; 0: it does
// not say.
func claimedSize(codec format.CompressionCodec, r *io.SectionReader) (uint64, error) {
	head := make([]byte, min(r.Size(), zstd.HeaderMaxSize))
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, err
	}
	switch codec {
	case format.Snappy:
		n, _ := binary.Uvarint(head)
		return n, nil
	case format.Zstd:
		var h zstd.Header
		if err := h.Decode(head); err == nil && h.HasFCS { // otherwise the decompressor fails, too
			return h.FrameContentSize, nil
		}
	}
	return 0, nil
}
