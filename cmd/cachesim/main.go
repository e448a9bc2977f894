// Command cachesim replays request traces through cache replacement policies,
// native ones and WASM modules, and draws figures of the results.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/urfave/cli/v2"
)

func init() {
	stringify := cli.FlagStringer
	cli.FlagStringer = func(f cli.Flag) string { return withoutZeroDefault(stringify(f)) }
}

// withoutZeroDefault leaves out of a flag's help the default that the library adds where the usage
// says one in words, and that a switch is off.
func withoutZeroDefault(help string) string {
	switch i := strings.LastIndex(help, "(default: "); {
	case i < 0:
		return help
	case strings.Contains(help[:i], "(default: "), help[i:] == "(default: false)":
		return strings.TrimRight(help[:i], " ")
	}
	return help
}

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// A usageError is invalid usage: a command line that cannot be carried out as it
// stands.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errInterrupted ends a command that Ctrl-C stopped; it has said so itself.
var errInterrupted = errors.New("interrupted")

// errReported ends a command that failed and has said why.
var errReported = errors.New("failed")

// exitError ends a command that has reported, with a code of its own.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// run is main without its surroundings. It returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	stderr = messages{stderr, new(sync.Mutex)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process
	}()
	app := newApp(stdout, stderr)
	args, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	var usage usageError
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "cachesim: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "cachesim: %v\n", err)
	return exitFailed
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:            "cachesim",
		Usage:           "replay request traces through cache replacement policies, native and WASM",
		UsageText:       "cachesim run TRACE [TRACE...] [flags]\ncachesim bench [flags]\ncachesim help run",
		Version:         buildVersion(),
		HideHelpCommand: false,
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands: []*cli.Command{
			runCommand(stdout, stderr),
			adviseCommand(stdout, stderr),
			mrcCommand(stdout, stderr),
			planCommand(stdout, stderr),
			sweepCommand(stdout, stderr),
			mergeCommand(stderr),
			plotCommand(stderr),
			tableCommand(stdout),
			reportCommand(stderr),
			traceCommand(stdout, stderr),
			formatsCommand(stdout),
			figuresCommand(stdout),
			policiesCommand(stdout),
			policyCommand(stdout),
			scoreCommand(stdout),
			cacheCommand(stdout),
			benchCommand(stdout, stderr),
			versionCommand(stdout),
			isolatedCommand(stdout),
		},
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   explainValue,
	}
	for _, c := range app.Commands {
		c.OnUsageError = app.OnUsageError
		for _, sub := range c.Subcommands {
			sub.OnUsageError = app.OnUsageError
		}
	}
	return app
}
