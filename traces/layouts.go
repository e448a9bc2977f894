package traces

import (
	"encoding/binary"
	"time"
)

// layouts are the binary formats without a header, most of them libCacheSim's.
// docs/formats/corpora.md shows them with all their fields, also those that are
// not used.
var layouts = []*layout{
	{
		name: "oracleGeneralOpNS", doc: "binary, 27 bytes a request: oracleGeneral with an operation and a name space",
		record: 27, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), op: u8(16), next: i64(19),
	},
	{
		name: "twr", doc: "binary, 20 bytes a request: Twitter's cache traces in libCacheSim's form",
		record: 20, tick: time.Second,
		time: u32(0), id: u64(4), op: u8(19), fix: twrFields(12), check: twrCheck,
	},
	{
		name: "twrNS", doc: "binary, 22 bytes a request: twr with a name space",
		record: 22, tick: time.Second,
		time: u32(0), id: u64(4), op: u8(19), fix: twrFields(12), check: twrCheck,
	},
	{
		name: "oracleSimTwrNS", doc: "binary, 30 bytes a request: Twitter's traces with TTL, name space and next access",
		record: 30, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), ttl: i32(16), next: i64(22),
		weak: true, // oracleAkamai has the same offsets
	},
	{
		name: "oracleSysTwrNS", doc: "binary, 34 bytes a request: Twitter's traces with key size, operation, TTL and next access",
		record: 34, tick: time.Second,
		time: u32(0), id: u64(4), op: u16(18), ttl: i32(22), next: i64(26),
		fix: func(b []byte, r *Record) {
			r.Size = int64(binary.LittleEndian.Uint16(b[12:])) + int64(binary.LittleEndian.Uint32(b[14:]))
		},
	},
	{
		name: "wiki16u", doc: "binary, 14 bytes a request: Wikimedia CDN 2016, images",
		record: 14, id: u64(0), size: u32(8), weak: true,
		check: func(b []byte) bool { return binary.LittleEndian.Uint16(b[12:]) < maxContentType },
	},
	{
		name: "oracleWiki16u", doc: "binary, 22 bytes a request: wiki16u with the next access",
		record: 22, id: u64(0), size: u32(8), next: i64(14),
	},
	{
		name: "wiki19u", doc: "binary, 18 bytes a request: Wikimedia CDN 2019, images",
		record: 18, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12),
		check: func(b []byte) bool { return binary.LittleEndian.Uint16(b[16:]) < maxContentType },
	},
	{
		name: "oracleWiki19u", doc: "binary, 26 bytes a request: wiki19u with the next access",
		record: 26, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), next: i64(18),
	},
	{
		name: "wiki19t", doc: "binary, 16 bytes a request: Wikimedia CDN 2019, pages",
		record: 16, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12),
		same: "its layout is that of standardBinIQI",
	},
	{
		name: "oracleWiki19t", doc: "binary, 24 bytes a request: wiki19t with the next access",
		record: 24, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), next: i64(16),
		same: "its layout is that of oracleGeneral",
	},
	{
		name: "akamai", doc: "binary, 22 bytes a request: a CDN's requests with tenant, bucket and type",
		record: 22, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), weak: true,
	},
	{
		name: "oracleAkamai", doc: "binary, 30 bytes a request: akamai with the next access",
		record: 30, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), next: i64(22),
		weak: true, // oracleSimTwrNS has the same offsets
	},
	{
		name: "CF1", doc: "binary, 41 bytes a request: Cloudflare's CDN with TTL",
		record: 41, tick: time.Second,
		time: u32(0), id: u64(4), ttl: i32(20), fix: cf1Size,
	},
	{
		name: "oracleCF1", doc: "binary, 49 bytes a request: CF1 with the next access",
		record: 49, tick: time.Second,
		time: u32(0), id: u64(4), ttl: i32(20), next: i64(32), fix: cf1Size,
	},
	{
		name: "standardBinIQI", doc: "binary, 16 bytes a request: time u32, id u64, size u32",
		record: 16, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), weak: true,
	},
	{
		name: "standardBinIQQ", doc: "binary, 20 bytes a request: time u32, id u64, size u64",
		record: 20, tick: time.Second,
		time: u32(0), id: u64(4), size: u64(12), weak: true,
	},
	{
		name: "standardBinIII", doc: "binary, 12 bytes a request: time u32, id u32, size u32",
		record: 12, tick: time.Second,
		time: u32(0), id: u32(4), size: u32(8), weak: true,
	},
	{
		name: "standardBinIQIBH", doc: "binary, 19 bytes a request: time u32, id u64, size u32, operation u8, name space u16",
		record: 19, tick: time.Second,
		time: u32(0), id: u64(4), size: u32(12), op: u8(16),
	},
	{
		name: "valpin", doc: "binary, 8 bytes a request: id u64",
		record: 8, id: u64(0), one: 1, same: anyBytes,
	},
	{
		name: "cloudphysics", doc: "binary, 4 bytes a request: id u32, big-endian",
		record: 4, big: true, id: u32(0), one: 1, same: anyBytes,
	},
	{
		name: "cache2k", doc: "binary, 4 bytes a request: id i32, big-endian",
		record: 4, big: true, id: i32(0), one: 1, same: anyBytes,
	},
	{
		name: "corda", doc: "binary, 8 bytes a request: id i64, big-endian",
		record: 8, big: true, id: i64(0), one: 1, same: anyBytes,
	},
	{
		name: "scarab", doc: "binary, 8 bytes a request: id i64, big-endian",
		record: 8, big: true, id: i64(0), one: 1, same: anyBytes,
	},
}

// anyBytes is why a format without any structure is never recognised.
const anyBytes = "any bytes are records of it: it has to be named"

// maxContentType bounds the numbers that Wikimedia's traces have for types of
// content, which are a few dozen.
const maxContentType = 4096

// twrFields returns what reads the two words at offset at that Twitter's
// records pack: key size in 10 bits and value size in 22, operation in 8 bits
// and time to live in 24.
func twrFields(at int) func(b []byte, r *Record) {
	return func(b []byte, r *Record) {
		kv := binary.LittleEndian.Uint32(b[at:])
		r.Size = int64(kv>>22) + int64(kv&(1<<22-1))
		r.TTL = binary.LittleEndian.Uint32(b[at+4:]) & (1<<24 - 1)
	}
}

// twrCheck expects a key and an operation of memcached in a record of twr.
func twrCheck(b []byte) bool {
	key, op := binary.LittleEndian.Uint32(b[12:])>>22, b[19]
	return key > 0 && op >= 1 && op <= 11
}

// cf1Size reads the size in a record of CF1. Some of them are 32-bit numbers
// that were extended as if they had a sign: their upper half is all ones.
func cf1Size(b []byte, r *Record) {
	v := binary.LittleEndian.Uint64(b[12:])
	if v>>32 == 1<<32-1 {
		v &= 1<<32 - 1
	}
	r.Size = int64(v)
}
