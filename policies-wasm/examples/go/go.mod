module fifo

go 1.24
