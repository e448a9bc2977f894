;; proc_exit does not return: the host notes the code, and this traps. (A host
;; function that fails by itself would have wasmer-go 1.0.4 free its trap twice.)
(module
  (import "host" "exit" (func $exit (param i32)))
  (func (export "proc_exit") (param $code i32)
    (call $exit (local.get $code))
    unreachable))
