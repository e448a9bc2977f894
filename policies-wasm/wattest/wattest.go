// Package wattest assembles modules for tests.
package wattest

import "testing"

// Assemble makes a module of the text format. It skips the test where nothing
// is there to do it with.
func Assemble(t testing.TB, wat string) []byte {
	t.Helper()
	b, err := assemble(wat)
	if err == errNoAssembler {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, wat)
	}
	return b
}
