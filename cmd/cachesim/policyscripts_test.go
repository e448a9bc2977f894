package main

import (
	"strings"
	"testing"
)

// TestCheckScripts checks a guest against its own script and another policy's.
func TestCheckScripts(t *testing.T) {
	scripts := "../../policies-native/testdata/scripts/"
	lru := "../../policies-wasm/guests/lru.wasm"
	stdout, stderr, code := cachesim("policy", "check", "--engine", "wazero", "--script", scripts+"lru.txt", lru)
	if code != 0 || !strings.Contains(stdout, "PASS  scripts") {
		t.Errorf("its own: exit %d, %s%s", code, stdout, stderr)
	}
	stdout, stderr, code = cachesim("policy", "check", "--engine", "wazero", "--script", scripts+"mru.txt", lru)
	if code != 1 || !strings.Contains(stdout, "FAIL  scripts") || !strings.Contains(stdout, "mru.txt:") {
		t.Errorf("that of MRU: exit %d, %s%s", code, stdout, stderr)
	}
	if _, stderr, code = cachesim("policy", "check", "--script", scripts+"none.txt", lru); code != 2 || !strings.Contains(stderr, "none.txt") {
		t.Errorf("a script that is not there: exit %d, %s", code, stderr)
	}
}
