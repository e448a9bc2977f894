package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"cachesim/sim"
)

// KVJSONL is the format of traces of requests to large language models whose
// prompts were cut into blocks of tokens, of which the hashes were published:
// Mooncake (FAST '25) and Qwen Bailian (ATC '25). An object is the state of the
// model after a prefix of a prompt: a block with all before it.
var KVJSONL = Format{
	Name: "kv-jsonl",
	Doc:  "JSON lines: timestamp, input_length, hash_ids: the prefix blocks of requests to language models",
	Tick: time.Millisecond,
	Params: []Param{
		{"kv-order", "forward", "order of a request's blocks: forward, or reverse: the last one first, so that the beginnings are used most recently"},
		{"bytes-per-token", "1", "size of a token"},
		{"block-tokens", "auto", "tokens of a block; auto: 16 where there is a chat_id (Bailian), 512 otherwise (Mooncake)"},
		{"time-unit", "auto", "unit of timestamp: s, ms, us or ns; auto: s where there is a chat_id, ms otherwise"},
	},
	Probe: probeKV,
	New:   newKV,
}

// A Grouper is a Decoder whose records come in groups, such as the blocks of one
// prompt. A block of a prompt is of use only if all before it are present, so
// that hits are counted by group.
type Grouper interface {
	// Groups returns the indices of those of the last call's records that begin
	// a group, in rising order. It is valid until the next call of Decode.
	Groups() []int
	// Prompts returns how the records of a group are to be understood.
	Prompts() sim.Prompts
}

func probeKV(head []byte, whole bool) (Confidence, string) {
	line, err := firstLine(head, whole)
	if err != nil {
		if !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) || whole || !isText(head) {
			return No, err.Error()
		}
		// The hashes of a long prompt do not fit.
		if bytes.Contains(head, []byte(`"hash_ids"`)) && bytes.Contains(head, []byte(`"input_length"`)) {
			return Likely, "its first line has input_length and hash_ids"
		}
		return No, err.Error()
	}
	var q kvRequest
	if err := q.parse(line); err != nil {
		return No, err.Error()
	}
	return Certain, "its first line is a JSON object with input_length and hash_ids"
}

// kvDecoder decodes KVJSONL.
type kvDecoder struct {
	lines   *lineReader
	reverse bool
	token   int64 // bytes
	block   int64 // tokens; 0: not known before the first request
	digits  int   // decimal places of a timestamp that become ticks; -1: as block
	unit    int64 // timestamps in a tick, if that is more than 1

	// A prefix is a node of a trie: the number of the prefix that is one block
	// shorter, and the hash of the last block. This makes prefixes of hashes
	// that cover a block alone, and changes nothing for hashes that cover the
	// prefix.
	nodes map[kvNode]uint64

	q       kvRequest
	path    []uint64 // nodes of q, from the first block
	next    int      // of path, in the order in which they are returned
	starts  []int
	empty   int64 // requests without blocks
	uneven  int64 // requests whose length does not fit their number of blocks
	prompts int64
	tokens  int64
}

type kvNode struct{ parent, hash uint64 }

func newKV(r io.Reader, args Args) (Decoder, error) {
	d := &kvDecoder{lines: newLineReader(r), nodes: make(map[kvNode]uint64), digits: -1, unit: 1}
	switch v := args["kv-order"]; v {
	case "forward":
	case "reverse":
		d.reverse = true
	default:
		return nil, fmt.Errorf("kv-order=%s is neither forward nor reverse", v)
	}
	var err error
	if d.token, err = strconv.ParseInt(args["bytes-per-token"], 10, 64); err != nil || d.token < 1 || d.token > 1<<30 {
		return nil, fmt.Errorf("bytes-per-token=%s is not a number from 1 to 2^30", args["bytes-per-token"])
	}
	if v := args["block-tokens"]; v != "auto" {
		if d.block, err = strconv.ParseInt(v, 10, 64); err != nil || d.block < 1 || d.block > 1<<20 {
			return nil, fmt.Errorf("block-tokens=%s is neither auto nor a number from 1 to 2^20", v)
		}
	}
	if v := args["time-unit"]; v != "auto" {
		unit, err := parseTimeUnit(v)
		if err != nil {
			return nil, err
		}
		d.setUnit(unit)
	}
	return d, nil
}

// setUnit sets the unit of timestamps; ticks are milliseconds.
func (d *kvDecoder) setUnit(unit time.Duration) {
	d.digits = 0
	switch {
	case unit >= time.Millisecond:
		d.digits = len(strconv.FormatInt(int64(unit/time.Millisecond), 10)) - 1
	default:
		d.unit = int64(time.Millisecond / unit)
	}
}

func (d *kvDecoder) Decode(dst []Record) (n int, err error) {
	d.starts = d.starts[:0]
	return d.lines.decodeAll(dst, d.emit, func(line []byte, _ *Record) (bool, error) { return false, d.request(line) })
}

// request reads a request, and makes a path of its blocks.
func (d *kvDecoder) request(line []byte) error {
	q := &d.q
	if err := q.parse(line); err != nil {
		return err
	}
	if d.block == 0 {
		if d.block = 512; q.chat {
			d.block = 16
		}
	}
	if d.digits < 0 {
		if d.digits = 0; q.chat {
			d.digits = 3
		}
	}
	ms, ok := parseDecimal(q.timestamp, d.digits)
	if !ok && len(q.timestamp) > 0 {
		return fmt.Errorf("timestamp %s is not a number", quote(q.timestamp))
	}
	q.ms = ms / d.unit
	d.path, d.next = d.path[:0], 0
	d.prompts++
	d.tokens += q.length
	if len(q.hashes) == 0 {
		d.empty++
		return nil
	}
	if full := int64(len(q.hashes)) * d.block; q.length > full || q.length <= full-d.block {
		d.uneven++
	}
	node := uint64(0)
	for _, h := range q.hashes {
		k := kvNode{node, h}
		next, ok := d.nodes[k]
		if !ok {
			next = uint64(len(d.nodes)) + 1
			d.nodes[k] = next
		}
		node = next
		d.path = append(d.path, node)
	}
	return nil
}

// emit fills dst with blocks of the current request; they are behind n others.
func (d *kvDecoder) emit(dst []Record, n int) int {
	if d.next == len(d.path) {
		return 0
	}
	if d.next == 0 {
		d.starts = append(d.starts, n)
	}
	m := min(len(dst), len(d.path)-d.next)
	for i := range m {
		block := d.next + i
		if d.reverse {
			block = len(d.path) - 1 - block
		}
		tokens := d.block
		if block == len(d.path)-1 {
			// The last block has what is left of the prompt; where that is
			// impossible, the length counts something else.
			if rest := d.q.length - int64(block)*d.block; rest > 0 && rest < d.block {
				tokens = rest
			}
		}
		dst[i] = Record{Key: d.path[block], Time: d.q.ms, Size: tokens * d.token}
	}
	d.next += m
	return m
}

// Groups returns where the requests begin.
func (d *kvDecoder) Groups() []int { return d.starts }

// Prompts returns the order of the blocks and the size of a token.
func (d *kvDecoder) Prompts() sim.Prompts {
	return sim.Prompts{Reverse: d.reverse, TokenBytes: d.token}
}

func (d *kvDecoder) Report() []string {
	order := "first to last"
	if d.reverse {
		order = "last to first"
	}
	lines := []string{fmt.Sprintf("%s for %d tokens: an object is a block of %d tokens with all before it, of %d bytes a token, and is asked for from the %s (kv-order)",
		countRequests(d.prompts), d.tokens, d.block, d.token, order)}
	if d.empty > 0 {
		lines = append(lines, fmt.Sprintf("left out: %s without blocks", countRequests(d.empty)))
	}
	if d.uneven > 0 {
		lines = append(lines, fmt.Sprintf("read with a full last block: %s whose input_length does not fit their number of blocks (block-tokens)", countRequests(d.uneven)))
	}
	return lines
}

// A kvRequest is a line of KVJSONL.
type kvRequest struct {
	timestamp []byte
	ms        int64
	length    int64 // tokens of the prompt
	hashes    []uint64
	chat      bool // it has a chat_id
}

func (q *kvRequest) parse(line []byte) error {
	*q = kvRequest{length: -1, hashes: q.hashes[:0]}
	s := jsonScanner{b: line}
	hasHashes := false
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "timestamp":
			var err error
			q.timestamp, err = s.number()
			return err
		case "input_length":
			b, err := s.number()
			if err != nil {
				return err
			}
			n, ok := parseUint(b)
			if !ok || n > sim.MaxSize>>31 {
				return fmt.Errorf("input_length %s is not a number of tokens", quote(b))
			}
			q.length = int64(n)
			return nil
		case "hash_ids":
			hasHashes = true
			return s.array(func() error {
				b, err := s.number()
				if err != nil {
					return err
				}
				h, ok := parseUint(b)
				if !ok {
					n, negative := parseInt(b)
					if !negative {
						return fmt.Errorf("hash id %s is not a number of 64 bits", quote(b))
					}
					h = uint64(n)
				}
				q.hashes = append(q.hashes, h)
				return nil
			})
		case "chat_id":
			q.chat = true
		}
		return s.skip(0)
	})
	if err != nil {
		return err
	}
	if q.length < 0 || !hasHashes {
		return errors.New("it has no input_length and hash_ids")
	}
	return nil
}

// A jsonScanner reads a line of JSON once, without building anything.
type jsonScanner struct {
	b []byte
	i int
}

func (s *jsonScanner) expected(what string) error {
	rest := s.b[min(s.i, len(s.b)):]
	if len(rest) == 0 {
		return fmt.Errorf("its JSON ends where %s is expected", what)
	}
	return fmt.Errorf("its JSON has %s where %s is expected", quote(rest[:min(len(rest), 20)]), what)
}

// peek returns the next character that is not white space, 0 at the end.
func (s *jsonScanner) peek() byte {
	for s.i < len(s.b) && blank(s.b[s.i]) {
		s.i++
	}
	if s.i == len(s.b) {
		return 0
	}
	return s.b[s.i]
}

func (s *jsonScanner) eat(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// object reads the object that is the whole line; value reads the value of each
// key, which is as it is written.
func (s *jsonScanner) object(value func(key []byte) error) error {
	if err := s.members(value); err != nil {
		return err
	}
	if s.peek() != 0 || s.i < len(s.b) {
		return s.expected("the end of the line")
	}
	return nil
}

func (s *jsonScanner) members(value func(key []byte) error) error {
	if !s.eat('{') {
		return s.expected("an object")
	}
	if s.eat('}') {
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.eat(':') {
			return s.expected("a colon")
		}
		if err := value(key); err != nil {
			return err
		}
		if s.eat('}') {
			return nil
		}
		if !s.eat(',') {
			return s.expected("a comma or the end of an object")
		}
	}
}

func (s *jsonScanner) array(value func() error) error {
	if !s.eat('[') {
		return s.expected("an array")
	}
	if s.eat(']') {
		return nil
	}
	for {
		if err := value(); err != nil {
			return err
		}
		if s.eat(']') {
			return nil
		}
		if !s.eat(',') {
			return s.expected("a comma or the end of an array")
		}
	}
}

// text reads a string and returns it as it is written.
func (s *jsonScanner) text() ([]byte, error) {
	if !s.eat('"') {
		return nil, s.expected("a string")
	}
	for start := s.i; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '"':
			s.i++
			return s.b[start : s.i-1], nil
		case '\\':
			s.i++
		}
	}
	return nil, s.expected("the end of a string")
}

func (s *jsonScanner) number() ([]byte, error) {
	s.peek()
	start := s.i
	for s.i < len(s.b) && (s.b[s.i]-'0' <= 9 || s.b[s.i] == '-' || s.b[s.i] == '+' || s.b[s.i] == '.' || s.b[s.i]|0x20 == 'e') {
		s.i++
	}
	if s.i == start {
		return nil, s.expected("a number")
	}
	return s.b[start:s.i], nil
}

// skip reads any value.
func (s *jsonScanner) skip(depth int) error {
	if depth > maxJSONDepth {
		return errors.New("its JSON is nested too deep")
	}
	switch c := s.peek(); {
	case c == '"':
		_, err := s.text()
		return err
	case c == '{':
		return s.members(func([]byte) error { return s.skip(depth + 1) })
	case c == '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case c == '-' || c-'0' <= 9:
		_, err := s.number()
		return err
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.b[s.i:], []byte(word)) {
			s.i += len(word)
			return nil
		}
	}
	return s.expected("a value")
}
