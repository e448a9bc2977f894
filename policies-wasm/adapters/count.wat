;; Adapter for a send that returns nothing, as in the modules of the published
;; experiment: the outcome is what the counts of stats, events << 32 | hits,
;; have risen by. Anything but one event, hit or not, comes out as 2.
(module
  (import "policy" "send" (func $send (param i32 i64)))
  (import "policy" "stats" (func $stats (result i64)))
  (global $last (mut i64) (i64.const 0))

  ;; Called once, when the policy has been initialised.
  (func (export "start")
    (global.set $last (call $stats)))

  (func (export "send") (param $id i32) (param $size i64) (result i32)
    (local $now i64)
    (local $rise i64)
    (call $send (local.get $id) (local.get $size))
    (local.set $now (call $stats))
    (local.set $rise
      (i64.sub
        (i64.sub (local.get $now) (global.get $last))
        (i64.const 0x100000000)))
    (global.set $last (local.get $now))
    (select
      (i32.wrap_i64 (local.get $rise))
      (i32.const 2)
      (i64.le_u (local.get $rise) (i64.const 1)))))
