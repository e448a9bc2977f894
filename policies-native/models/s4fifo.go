package models

import (
	"math"

	"cachesim/sim"
)

// newS4FIFO is S3-FIFO in which hits do not count at first, and in which several
// ghosts may be necessary.
func newS4FIFO(c sim.Config) Model {
	m := makeS3FIFO(c)
	m.threshold = int(c.Param("threshold"))
	m.window = math.Floor(c.Param("skip") * float64(m.smallShare))
	m.ghostHits = int(c.Param("ghosthits"))
	return m
}
