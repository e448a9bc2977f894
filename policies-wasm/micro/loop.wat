;; The driver of the micro benchmark: calls multiply for n pairs from inside the
;; sandbox. Pairs lie at 0, 8 bytes each; products, 4 bytes each, at 65536. There
;; is room for 8192.
(module
  (import "guest" "multiply" (func $multiply (param i32 i32) (result i32)))
  (memory (export "memory") 2 2)
  (func (export "run") (param $n i32)
    (local $pair i32)
    (local $end i32)
    (local $out i32)
    (local.set $end (i32.shl (local.get $n) (i32.const 3)))
    (local.set $out (i32.const 65536))
    (block $done
      (br_if $done (i32.eqz (local.get $n)))
      (loop $next
        (i32.store (local.get $out)
          (call $multiply
            (i32.load (local.get $pair))
            (i32.load offset=4 (local.get $pair))))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (local.set $pair (i32.add (local.get $pair) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $pair) (local.get $end)))))))
