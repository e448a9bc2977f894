package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/klauspost/cpuid/v2"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/results"
)

const release = "0.2.0"

// buildVersion is the release with the commit it was built from.
func buildVersion() string {
	v := release
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			v += "+" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			v += ".modified"
		}
	}
	return v
}

// newProvenance describes this program and this machine, for a run that command
// started.
func newProvenance(command []string) results.Provenance {
	host, _ := os.Hostname()
	p := results.Provenance{
		Version: buildVersion(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Host: host, CPU: cpuid.CPU.BrandName, CPUs: runtime.NumCPU(),
		Engines: map[string]string{sim.NativeEngine: runtime.Version()},
		Started: time.Now().UTC().Truncate(time.Millisecond), Command: command,
	}
	for _, e := range engines.All() {
		if e.Missing == "" {
			p.Engines[e.Name] = e.Runtime + " " + e.Version
		}
	}
	return p
}
