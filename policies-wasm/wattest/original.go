package wattest

import (
	"fmt"
	"testing"
)

// Original makes a module with the exports of the published experiment's: a send that
// returns nothing, stats that packs events << 32 | hits, init that resets; it traps
// before init and on objects larger than the cache. Its policy is to keep the last
// object only. record is the length of a request in memory, 0 where it is two
// arguments; alloc is the body of alloc, if there is one.
func Original(t testing.TB, record int, alloc string) []byte {
	t.Helper()
	send := `(func (export "send") (param $id i32) (param $size i64)`
	if record > 0 {
		send = fmt.Sprintf(`(func (export "alloc") (param $len i32) (result i64) %s)
		(func (export "send") (param $at i32) (param $len i32) (local $id i32) (local $size i64)
			(if (i32.ne (local.get $len) (i32.const %d)) (then unreachable))
			(local.set $id (i32.load (local.get $at)))
			(local.set $size (i64.load offset=%d (local.get $at)))`, alloc, record, record-8)
	}
	return Assemble(t, `(module
		(memory (export "memory") 1)
		(global $next (mut i32) (i32.const 1024))
		(global $capacity (mut i64) (i64.const -1))
		(global $last (mut i32) (i32.const -1))
		(global $events (mut i64) (i64.const 0))
		(global $hits (mut i64) (i64.const 0))
		(func (export "init") (param $size i64)
			(global.set $capacity (local.get $size))
			(global.set $last (i32.const -1))
			(global.set $events (i64.const 0))
			(global.set $hits (i64.const 0)))
		(func (export "stats") (result i64)
			(i64.or (i64.shl (global.get $events) (i64.const 32)) (global.get $hits)))
		`+send+`
			(if (i64.gt_s (local.get $size) (global.get $capacity)) (then unreachable))
			(global.set $events (i64.add (global.get $events) (i64.const 1)))
			(if (i32.eq (local.get $id) (global.get $last))
				(then (global.set $hits (i64.add (global.get $hits) (i64.const 1)))))
			(global.set $last (local.get $id))))`)
}

// Bodies of alloc.
const (
	// Bump is a bump allocator that starts over after a page.
	Bump = `(global.set $next (i32.add (global.get $next) (i32.const 16)))
		(if (i32.gt_u (global.get $next) (i32.const 60000)) (then (global.set $next (i32.const 1024))))
		(i64.or (i64.shl (i64.extend_i32_u (global.get $next)) (i64.const 32)) (i64.extend_i32_u (local.get $len)))`
	// Buffer is the one of the static modules.
	Buffer = `(i64.or (i64.const 0x40000000000) (i64.extend_i32_u (local.get $len)))`
	// One is what the Bincode modules of the experiment return, whatever is there.
	One = `(i64.or (i64.const 0x100000000) (i64.extend_i32_u (local.get $len)))`
)
