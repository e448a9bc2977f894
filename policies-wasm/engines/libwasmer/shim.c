// What wasmer-go 1.0.4 links against and wasmer 4.4 does not have as it was:
// the functions of its WASI, which have changed. cachesim gives WASI guests host
// functions of its own and never calls these; they are here to be found by the
// linker.
#include <stddef.h>

#define MISSING(name) \
	void *name(void) { return NULL; }

MISSING(wasi_config_arg)
MISSING(wasi_config_capture_stderr)
MISSING(wasi_config_capture_stdout)
MISSING(wasi_config_env)
MISSING(wasi_config_inherit_stderr)
MISSING(wasi_config_inherit_stdin)
MISSING(wasi_config_inherit_stdout)
MISSING(wasi_config_mapdir)
MISSING(wasi_config_new)
MISSING(wasi_config_preopen_dir)
MISSING(wasi_env_delete)
MISSING(wasi_env_new)
MISSING(wasi_env_read_stderr)
MISSING(wasi_env_read_stdout)
MISSING(wasi_get_start_function)
MISSING(wasi_get_unordered_imports)
MISSING(wasi_get_wasi_version)
MISSING(wasmer_named_extern_module)
MISSING(wasmer_named_extern_name)
MISSING(wasmer_named_extern_unwrap)
MISSING(wasmer_named_extern_vec_delete)
MISSING(wasmer_named_extern_vec_new_empty)

#ifdef __x86_64__
// rustc of this year no longer defines __rust_probestack, which the code that
// wasmer 4.4 generates calls in functions with large frames: it touches every
// page below the stack pointer for the rax bytes asked for, so that a stack
// overflow meets the guard page, and keeps all registers.
__asm__(
	".text\n"
	".globl __rust_probestack\n"
	".type __rust_probestack,@function\n"
	"__rust_probestack:\n"
	"	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	movq %rax, %r11\n"
	"	cmpq $0x1000, %r11\n"
	"	jna 2f\n"
	"1:	subq $0x1000, %rsp\n"
	"	testq %rsp, 8(%rsp)\n"
	"	subq $0x1000, %r11\n"
	"	cmpq $0x1000, %r11\n"
	"	ja 1b\n"
	"2:	subq %r11, %rsp\n"
	"	testq %rsp, 8(%rsp)\n"
	"	addq %rax, %rsp\n"
	"	leave\n"
	"	ret\n"
	".size __rust_probestack, .-__rust_probestack\n"
	".section .note.GNU-stack,\"\",@progbits\n"
	".text\n");
#endif
