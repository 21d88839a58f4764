;; The system calls of WASI preview 1 (`wasi_snapshot_preview1`), answered inside the component.
;; `vthost plugin componentize` links it with core modules; unused functions are removed.
;;
;; There are no files, arguments and variables. The clocks have a fixed time: 2025-01-01 and one
;; second. Random numbers are the same in every run. What is written to the descriptors 1 and 2
;; goes to the host. Waiting for more than 10 ms is passed to the host, which ends the call with a
;; message. A shorter wait is over at once: Go waits for 1 ms before it prints a panic's message.
;;
;; Numbers of errors: 8 is a bad file descriptor, 28 an invalid argument, 52 not implemented,
;; 58 not supported, 76 insufficient capabilities.
(module
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
  (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $get_stderr (result i32)))
  (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
  (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
    (func $subscribe (param i64) (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param $stream i32) (param $bytes i32) (param $len i32) (param $result i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
  (import "env" "memory" (memory 0))

  ;; The state of the random numbers (xorshift64).
  (global $random (mut i64) (i64.const 0x7674686f7374))

  (func $next (result i64)
    (global.set $random
      (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 13))))
    (global.set $random
      (i64.xor (global.get $random) (i64.shr_u (global.get $random) (i64.const 7))))
    (global.set $random
      (i64.xor (global.get $random) (i64.shl (global.get $random) (i64.const 17))))
    (global.get $random))

  (func (export "random_get") (param $bytes i32) (param $len i32) (result i32)
    (block $end
      (loop $each
        (br_if $end (i32.eqz (local.get $len)))
        (i32.store8 (local.get $bytes) (i32.wrap_i64 (i64.shr_u (call $next) (i64.const 24))))
        (local.set $bytes (i32.add (local.get $bytes) (i32.const 1)))
        (local.set $len (i32.sub (local.get $len) (i32.const 1)))
        (br $each)))
    (i32.const 0))

  ;; The clock 0 is the time of day, the others count from the start.
  (func (export "clock_time_get") (param $clock i32) (param i64) (param $time i32) (result i32)
    (i64.store (local.get $time)
      (select (i64.const 1000000000) (i64.const 1735689600000000000) (local.get $clock)))
    (i32.const 0))

  (func (export "clock_res_get") (param i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1000))
    (i32.const 0))

  (func $no_texts (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $no_texts))
  (export "environ_sizes_get" (func $no_texts))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; Writes bytes to a stream, at most 4096 in a call. The host returns its result at the address
  ;; 0, where the module's bytes are saved and restored.
  (func $write_all (param $stream i32) (param $bytes i32) (param $len i32)
    (local $part i32) (local $saved i64) (local $saved_too i64)
    (block $end
      (loop $each
        (br_if $end (i32.eqz (local.get $len)))
        (local.set $part
          (select (local.get $len) (i32.const 4096)
            (i32.lt_u (local.get $len) (i32.const 4096))))
        (local.set $saved (i64.load (i32.const 0)))
        (local.set $saved_too (i64.load (i32.const 8)))
        (call $write (local.get $stream) (local.get $bytes) (local.get $part) (i32.const 0))
        (i64.store (i32.const 0) (local.get $saved))
        (i64.store (i32.const 8) (local.get $saved_too))
        (local.set $bytes (i32.add (local.get $bytes) (local.get $part)))
        (local.set $len (i32.sub (local.get $len) (local.get $part)))
        (br $each))))

  (func (export "fd_write")
    (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $stream i32) (local $len i32) (local $sum i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (if (i32.eq (local.get $fd) (i32.const 1))
      (then (local.set $stream (call $get_stdout)))
      (else (local.set $stream (call $get_stderr))))
    (block $end
      (loop $each
        (br_if $end (i32.eqz (local.get $count)))
        (local.set $len (i32.load offset=4 (local.get $parts)))
        (call $write_all
          (local.get $stream) (i32.load (local.get $parts)) (local.get $len))
        (local.set $sum (i32.add (local.get $sum) (local.get $len)))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $each)))
    (call $drop (local.get $stream))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; Standard input is at its end.
  (func (export "fd_read") (param $fd i32) (param i32 i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  ;; The descriptors 0 to 2 are character devices, so that C's library writes each line at once.
  (func (export "fd_fdstat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $stat) (i64.const 2))
    (i64.store offset=8 (local.get $stat) (i64.const 0x42))
    (i64.store offset=16 (local.get $stat) (i64.const 0))
    (i32.const 0))

  ;; Descriptors cannot become non-blocking. Go's scheduler would wait for them.
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 58))

  (func $is_bad_descriptor (param $fd i32) (param i32) (result i32) (i32.const 8))
  (export "fd_prestat_get" (func $is_bad_descriptor))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))

  (func (export "sched_yield") (result i32) (i32.const 0))

  (func (export "proc_exit") (param $status i32)
    (call $exit (i32.ne (local.get $status) (i32.const 0)))
    (unreachable))

  ;; Every subscription is ready, except a clock whose time is not near: the host ends that wait.
  (func (export "poll_oneoff")
    (param $subscription i32) (param $event i32) (param $count i32) (param $ready i32)
    (result i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (i32.store (local.get $ready) (local.get $count))
    (loop $each
      (if (i32.eqz (i32.load8_u offset=8 (local.get $subscription)))
        (then (call $await (local.get $subscription))))
      (i64.store (local.get $event) (i64.load (local.get $subscription)))
      (i64.store offset=8 (local.get $event) (i64.const 0))
      (i32.store8 offset=10 (local.get $event)
        (i32.load8_u offset=8 (local.get $subscription)))
      (i64.store offset=16 (local.get $event) (i64.const 0))
      (i64.store offset=24 (local.get $event) (i64.const 0))
      (local.set $subscription (i32.add (local.get $subscription) (i32.const 48)))
      (local.set $event (i32.add (local.get $event) (i32.const 32)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $each (local.get $count)))
    (i32.const 0))

  ;; Waits for a clock: until a time if bit 0 of the flags is set, else for a duration.
  (func $await (param $subscription i32)
    (local $timeout i64) (local $now i64)
    (local.set $timeout (i64.load offset=24 (local.get $subscription)))
    (if (i32.and (i32.load16_u offset=40 (local.get $subscription)) (i32.const 1))
      (then (local.set $now
        (select (i64.const 1000000000) (i64.const 1735689600000000000)
          (i32.load offset=16 (local.get $subscription))))))
    (if (i64.le_u (local.get $timeout) (local.get $now)) (then (return)))
    (local.set $timeout (i64.sub (local.get $timeout) (local.get $now)))
    (if (i64.gt_u (local.get $timeout) (i64.const 10000000))
      (then (drop (call $subscribe (local.get $timeout))))))

  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (export "fd_filestat_get" (func $is_bad_descriptor))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (export "fd_renumber" (func $is_bad_descriptor))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (export "fd_tell" (func $is_bad_descriptor))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_set_times")
    (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 76))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_open")
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 76))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "proc_raise") (param i32) (result i32) (i32.const 52))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "sock_shutdown" (func $is_bad_descriptor))
)
