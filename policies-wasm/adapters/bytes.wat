;; Adapter for the conventions that pass a request in the policy's memory, to a
;; send that returns the outcome. build.sh makes a second module, bytes-void.wasm,
;; to a send that returns nothing (count.wat makes an outcome of it): without what
;; is marked ";;outcome".
(module
  (import "policy" "memory" (memory 0))
  (import "policy" "alloc" (func $alloc (param i32) (result i64)))
  (import "policy" "send" (func $send (param i32 i32) (result i32) ;;outcome
  ))
  (global $static (mut i32) (i32.const 0)) ;; the one place to write to, or 0
  (global $time (export "time") (mut i32) (i32.const 0)) ;; set by loop-time.wat
  (global $len (mut i32) (i32.const 0))    ;; 12: bincode; 16: bytemuck

  ;; Called once, when the policy has been initialised.
  (func (export "start") (param $place i32) (param $bytes i32)
    (global.set $static (local.get $place))
    (global.set $len (local.get $bytes)))

  (func (export "send") (param $id i32) (param $size i64) (result i32) ;;outcome
    (local $at i32)
    (local.set $at (global.get $static))
    (if (i32.eqz (local.get $at))
      (then
        (local.set $at
          (i32.wrap_i64
            (i64.shr_u (call $alloc (global.get $len)) (i64.const 32))))))
    (if (i32.eq (global.get $len) (i32.const 12))
      (then
        (i32.store (local.get $at) (local.get $id))
        (i64.store offset=4 align=4 (local.get $at) (local.get $size)))
      (else
        (i32.store (local.get $at) (local.get $id))
        (i32.store offset=4 (local.get $at) (global.get $time))
        (i64.store offset=8 (local.get $at) (local.get $size))))
    (call $send (local.get $at) (global.get $len))))
