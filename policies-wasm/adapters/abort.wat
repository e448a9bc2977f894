;; AssemblyScript's abort, which does not return: it leaves its arguments for the
;; host to read (a message and a file name, both strings in the policy's memory,
;; a line and a column), and traps.
(module
  (memory (export "memory") 1 1)
  (func (export "abort") (param $message i32) (param $file i32) (param $line i32) (param $column i32)
    (i32.store (i32.const 0) (i32.const 1)) ;; called
    (i32.store (i32.const 4) (local.get $message))
    (i32.store (i32.const 8) (local.get $file))
    (i32.store (i32.const 12) (local.get $line))
    (i32.store (i32.const 16) (local.get $column))
    unreachable))
