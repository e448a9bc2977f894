;; Calls back into the host for the product: the other direction of a call.
(module
  (import "host" "multiply" (func $multiply (param i32 i32) (result i32)))
  (func (export "multiply") (param i32 i32) (result i32)
    (call $multiply (local.get 0) (local.get 1))))
