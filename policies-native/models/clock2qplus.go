package models

import "cachesim/sim"

// newClock2QPlus is S3-FIFO in which hits do not count at first, and one hit is
// enough in either queue.
func newClock2QPlus(c sim.Config) Model {
	m := makeS3FIFO(c)
	m.threshold = 1
	m.window = c.Param("window") * float64(m.smallShare)
	m.oneBit = true
	return m
}
