package models

import "cachesim/sim"

// s3fifo has a small queue, a main one and ghosts, with the variations of its kin.
// Counts are hits; the time of an object is how many bytes had been stored in small
// with it.
type s3fifo struct {
	residents
	small, main, ghosts               list
	smallShare, mainShare, ghostShare int64
	threshold                         int
	fillsMain                         bool    // until the first eviction, once small is full
	window                            float64 // bytes stored in small after an object before its hits count
	oneBit                            bool    // hits in main do not add up
	ghostHits                         int     // ghosts of an object before the one that leads to main
	stored                            int
	had                               map[uint32]int // ghosts of an object so far
}

func makeS3FIFO(c sim.Config) *s3fifo {
	m := &s3fifo{smallShare: share(c, "small"), ghostShare: share(c, "ghost"), fillsMain: true, had: map[uint32]int{}}
	m.mainShare = c.Capacity - m.smallShare
	m.capacity, m.in = c.Capacity, []*list{&m.small, &m.main}
	return m
}

func newS3FIFO(c sim.Config) Model {
	m := makeS3FIFO(c)
	m.threshold = int(c.Param("threshold"))
	m.fillsMain = c.Param("revised") == 1
	return m
}

func (m *s3fifo) Access(r sim.Request, _ uint32) bool {
	if e := m.small.find(r.ID); e != nil {
		if float64(m.stored-e.at) >= m.window {
			e.count = min(3, e.count+1)
		}
		return true
	}
	if e := m.main.find(r.ID); e != nil {
		e.count = min(3, e.count+1)
		return true
	}
	promoted := false
	if m.ghosts.take(r.ID) != nil {
		m.had[r.ID]++
		promoted = m.had[r.ID] > m.ghostHits
	} else {
		m.had[r.ID] = 0
	}
	for !m.fits(r.Size) {
		m.evict()
	}
	x := &entry{id: r.ID, size: r.Size}
	if promoted || m.fillsMain && m.evicted == 0 && m.small.bytes() >= m.smallShare {
		m.had[r.ID] = 0
		m.main.push(x)
		return false
	}
	m.stored += int(x.size)
	x.at = m.stored
	m.small.push(x)
	return false
}

func (m *s3fifo) evict() {
	if m.main.bytes() > m.mainShare || len(m.small) == 0 {
		for m.main.oldest().count > 0 {
			e := m.main.pop()
			e.count--
			if m.oneBit {
				e.count = 0
			}
			m.main.push(e)
		}
		m.main.pop()
		m.evicted++
		return
	}
	for len(m.small) > 0 {
		e := m.small.pop()
		if e.count < m.threshold {
			m.evicted++
			m.ghosts.remember(e, m.ghostShare)
			return
		}
		e.count = 0
		m.main.push(e)
	}
}
