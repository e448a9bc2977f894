// Package sim is the vocabulary of cachesim and its replay engine: requests,
// traces, policies, the cells of a plan, and results. It imports nothing else
// of the project, so that everything else can import it.
package sim

// A Request asks for one object. It is 16 bytes without padding and has the
// layout of the C struct {uint32 id; uint32 time; int64 size}, so that a slice
// of requests can be copied into a guest's memory as it is.
type Request struct {
	ID   uint32 // dense number of the object: 0 to Trace.Objects-1, in order of first request
	Time uint32 // whole units of the trace's clock since its first request, modulo 2^32; 0 without a clock
	Size int64  // bytes; the same in every request for an object
}

// A Trace is a sequence of requests held in memory.
type Trace struct {
	Name     string // base name of its file
	SHA256   string // of the file as it is stored, in hex
	Format   string // name of the format that it was decoded from
	SizeRule string // which size of an object counts: "first", "last" or "max"

	Requests     []Request
	Objects      int   // distinct objects
	Footprint    int64 // bytes of all distinct objects together
	RequestBytes int64 // bytes of all requests together
	LargestSize  int64 // bytes of the largest object
	SizeChanges  int   // requests that carried another size than the one that counts

	// ObjectName returns the id that the trace's file gives to object id.
	ObjectName func(id uint32) string
}
