//go:build cgo && (linux || darwin)

package engines

/*
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

// libwasmer is linked by wasmer-go, which does not wrap these. They are looked
// up at run time, so that this package links against no library of its own.
static const char *cachesim_wasmer_version(void) {
	const char *(*f)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "wasmer_version");
	return f ? f() : "";
}

static const char *cachesim_wasmer_file(void) {
	Dl_info info;
	void *f = dlsym(RTLD_DEFAULT, "wasm_func_call");
	return f && dladdr(f, &info) && info.dli_fname ? info.dli_fname : "";
}
*/
// #cgo linux LDFLAGS: -ldl
import "C"

// wasmerVersion returns the version of the libwasmer that is linked.
func wasmerVersion() string { return C.GoString(C.cachesim_wasmer_version()) }

// wasmerFile returns the file that it was loaded from.
func wasmerFile() string { return C.GoString(C.cachesim_wasmer_file()) }
