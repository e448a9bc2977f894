package traces

import (
	"fmt"

	"cachesim/sim"
)

// A store holds the requests of a trace that is being read: in memory as long
// as they fit, and then in a spool.
type store struct {
	o      Options
	c      *cache // nil: there is none
	memory sim.Memory
	spool  *spoolWriter // nil: they are in memory
	unkept error        // why the cache cannot be used
}

func (s *store) append(b sim.Batch) error {
	if s.spool != nil {
		return s.wrap(s.spool.append(b))
	}
	s.memory.AppendBatch(b)
	if s.o.Memory > 0 && s.memory.Memory() > s.o.Memory {
		return s.wrap(s.toSpool())
	}
	return nil
}

func (s *store) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("keep the trace in a file: %w", err)
	}
	return nil
}

// toSpool moves the requests into a spool.
func (s *store) toSpool() error {
	dir, err := s.c.newFolder()
	if err != nil && s.c != nil {
		s.unkept, s.c = err, nil
		dir, err = s.c.newFolder()
	}
	if err != nil {
		return err
	}
	s.spool = newSpoolWriter(dir, s.o.Ops == ApplyOps)
	err = writeMemory(s.spool, &s.memory)
	s.memory = sim.Memory{}
	return err
}

// writeMemory writes m to a spool.
func writeMemory(w *spoolWriter, m *sim.Memory) error {
	for i, reqs := range m.Chunks() {
		ops, ttl := m.Column(i)
		if err := w.append(sim.Batch{Requests: reqs, Ops: ops, TTL: ttl}); err != nil {
			return err
		}
	}
	return nil
}

// rewrite passes all requests to f, which may change them, in order.
func (s *store) rewrite(f func(sim.Batch) error) error {
	if s.spool != nil {
		return s.spool.rewrite(f)
	}
	for i, reqs := range s.memory.Chunks() {
		ops, ttl := s.memory.Column(i)
		if err := f(sim.Batch{Requests: reqs, Ops: ops, TTL: ttl}); err != nil {
			return err
		}
	}
	return nil
}

// abort deletes a spool that was begun.
func (s *store) abort() {
	if s.spool != nil {
		s.spool.abort()
	}
}

// finish makes t, which is complete otherwise, a trace that can be read.
func (s *store) finish(t *sim.Trace, n *names) (*sim.Trace, error) {
	if s.spool == nil {
		s.memory.Objects, s.memory.SizeReplaces = t.Objects, t.SizeRule == AsMiss
		t.Source, t.ObjectName = &s.memory, n.name
		if s.c.keeps() && t.Requests >= cacheFrom {
			t.Source = keepInBackground(s.c, &s.memory, n, t)
		}
		return t, nil
	}
	dir := s.spool.dir
	var sources []source
	if s.c != nil {
		sources = s.c.sources
	}
	err := s.spool.finish(newMeta(t, sources), n)
	if err != nil {
		return nil, s.wrap(err)
	}
	if s.c.keeps() {
		dir, s.unkept = s.c.keep(dir, t)
	}
	p, err := openSpool(dir, false)
	if err != nil {
		return nil, s.wrap(err)
	}
	p.temporary = dir == s.spool.dir
	whole := p.trace()
	whole.ObjectName = n.name
	if s.unkept != nil {
		whole.Notes = append(whole.Notes, fmt.Sprintf("it is not in the trace cache: %v", s.unkept))
	}
	return whole, nil
}

// A backgroundSource is a trace in memory that is being written to the cache.
type backgroundSource struct {
	sim.Source
	done chan struct{}
	err  error
}

// keepInBackground writes a trace to the cache while it is used: writing costs
// a few nanoseconds a request, which is little beside the policies that run
// meanwhile, but would be some tenths of the time to load the trace.
func keepInBackground(c *cache, m *sim.Memory, n *names, t *sim.Trace) sim.Source {
	s := &backgroundSource{Source: m, done: make(chan struct{})}
	like := *t // t may be changed
	go func() {
		defer close(s.done)
		s.err = c.write(m, n, &like)
	}()
	return s
}

// write writes a trace in memory to the cache.
func (c *cache) write(m *sim.Memory, n *names, t *sim.Trace) error {
	dir, err := c.newFolder()
	if err != nil {
		return err
	}
	w := newSpoolWriter(dir, false)
	err = writeMemory(w, m)
	if err == nil {
		err = w.finish(newMeta(t, c.sources), n)
	}
	if err == nil {
		dir, err = c.keep(dir, t)
	}
	if dir == w.dir { // it was not kept
		w.abort()
	}
	return err
}

// Close waits until the trace is in the cache. An error says why it is not.
func (s *backgroundSource) Close() error {
	<-s.done
	if s.err != nil {
		return fmt.Errorf("keep the trace in the cache: %w", s.err)
	}
	return s.Source.Close()
}
