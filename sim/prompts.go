package sim

// Prompts says which requests of a trace are the blocks of one prompt to a large
// language model. The state of a block is of use only if all blocks before it in
// its prompt are cached, so that a cache saves what the leading run of hits of
// each prompt covers and not what all hits do (Kwon et al., Efficient Memory
// Management for Large Language Model Serving with PagedAttention, SOSP 2023).
type Prompts struct {
	// Reverse: the blocks of a prompt are requested from its last to its first.
	Reverse bool
	// TokenBytes is the size of a token; 0: sizes say nothing of tokens.
	TokenBytes int64

	starts []uint64 // a bit a request, set for the first one of a prompt
}

// Start marks the first of the requests for the blocks of a prompt. It may be
// called until the trace is read.
func (p *Prompts) Start(request int) {
	for request>>6 >= len(p.starts) {
		p.starts = append(p.starts, 0)
	}
	p.starts[request>>6] |= 1 << (request & 63)
}

// Starts reports whether a request is the first one of a prompt.
func (p *Prompts) Starts(request int) bool {
	return request>>6 < len(p.starts) && p.starts[request>>6]>>(request&63)&1 == 1
}

// Words returns the bits of all requests, 64 to a word, the first in the lowest
// bit; words of zeros at the end are absent.
func (p *Prompts) Words() []uint64 { return p.starts }

// SetWords is the inverse of Words. It keeps w.
func (p *Prompts) SetWords(w []uint64) { p.starts = w }

// promptCount is what counting the prompts of a replay needs to know.
type promptCount struct {
	begun bool // a prompt has begun: a trace may be cut at its start
	// whole: all blocks of the prompt so far were hits.
	whole bool
	// run and bytes are the hits since the last miss in the prompt, where its
	// blocks come in reverse: they lead if the prompt ends here.
	run, bytes int64
}

// addPrompts counts the prefix hits of a served batch.
func (s *replayState) addPrompts(b Batch) {
	p, n := s.t.Prompts, &s.prompt
	for i, r := range b.Requests {
		at := s.at + i
		if p.Starts(at) {
			s.endPrompt()
			*n = promptCount{begun: true, whole: true}
			s.LLMRequests++
		}
		switch hit := s.out.Hit(at); {
		case !n.begun:
		case p.Reverse && hit:
			n.run++
			n.bytes += r.Size
		case p.Reverse:
			n.run, n.bytes = 0, 0
		case hit && n.whole:
			s.PrefixHitBlocks++
			s.savedBytes += r.Size
		default:
			n.whole = false
		}
	}
}

// endPrompt counts the run at the end of a prompt whose blocks came in reverse.
func (s *replayState) endPrompt() {
	s.PrefixHitBlocks += s.prompt.run
	s.savedBytes += s.prompt.bytes
	s.prompt.run, s.prompt.bytes = 0, 0
}

// finishPrompts counts the last prompt, unless the replay ends within it, and
// makes tokens of bytes.
func (s *replayState) finishPrompts() {
	p := s.t.Prompts
	if p == nil {
		return
	}
	if s.c.Requests == s.t.Requests || p.Starts(s.c.Requests) {
		s.endPrompt()
	}
	if p.TokenBytes > 0 {
		s.SavedTokens = s.savedBytes / p.TokenBytes
	}
}
