;; The driver: replays a batch through a per-request export from inside the
;; sandbox, so that the host crosses into it once a batch.
;;
;;   host -> replay(n) -> send(id, size), n times
;;
;; Requests lie at 0, 16 bytes each as in sim.Request; outcomes, a byte each, at
;; 131072. There is room for 8192.
;;
;; build.sh makes a second module, loop-time.wasm, with the lines marked ";;time":
;; for records that hold the time, which an adapter takes from a global, since
;; send has no argument for it.
(module
;;time  (import "policy" "time" (global $time (mut i32)))
  (import "policy" "send" (func $send (param i32 i64) (result i32)))
  (memory (export "memory") 3 3)

  ;; Returns all outcomes or-ed together: above 1 where one is impossible.
  (func (export "replay") (param $n i32) (result i32)
    (local $request i32)
    (local $end i32)
    (local $out i32)
    (local $hit i32)
    (local $all i32)
    (local.set $end (i32.shl (local.get $n) (i32.const 4)))
    (local.set $out (i32.const 131072))
    (block $done
      (br_if $done (i32.eqz (local.get $n)))
      (loop $next
;;time        (global.set $time (i32.load offset=4 (local.get $request)))
        (local.set $hit
          (call $send
            (i32.load (local.get $request))
            (i64.load offset=8 (local.get $request))))
        (i32.store8 (local.get $out) (local.get $hit))
        (local.set $all (i32.or (local.get $all) (local.get $hit)))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (local.set $request (i32.add (local.get $request) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $request) (local.get $end)))))
    (local.get $all)))
