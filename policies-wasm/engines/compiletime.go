package engines

import "context"

// Compiling is timed so that a module's neighbours, which run and compile beside
// it, do not count: by the processor time of its thread (threadTime) where the
// runtime compiles on the thread that calls it, and one module at a time where it
// has threads of its own.

// compiling is held by whoever compiles with threads of a runtime's own.
var compiling = make(chan struct{}, 1)

// alone calls f when nothing else that calls alone does, unless ctx ends before.
func alone(ctx context.Context, f func()) error {
	select {
	case compiling <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-compiling }()
	f()
	return nil
}
