//go:build !linux

package engines

import "context"

// tether does nothing where threads have no idle class: a guest that loops for
// ever then takes its share of a processor until the process ends.
func tether(context.Context) (release func()) { return func() {} }
