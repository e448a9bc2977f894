package main

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cachesim/sim"
)

var badValue = regexp.MustCompile(`^invalid value (".*") for flag -(\S+): `)

// explainValue says what a flag expects where it has another value.
func explainValue(c *cli.Context, err error, _ bool) error {
	m := badValue.FindStringSubmatch(err.Error())
	if m == nil || c.Command == nil {
		return usageError{err}
	}
	for _, f := range c.Command.Flags {
		if !slices.Contains(f.Names(), m[2]) {
			continue
		}
		switch f.(type) {
		case *cli.IntFlag, *cli.Int64Flag, *cli.UintFlag, *cli.Uint64Flag:
			return usagef("--%s %s: expects a whole number", m[2], m[1])
		case *cli.Float64Flag:
			return usagef("--%s %s: expects a number", m[2], m[1])
		case *cli.DurationFlag:
			return usagef("--%s %s: expects a time with its unit, such as 90s or 1h30m", m[2], m[1])
		}
	}
	return usageError{err}
}

// arrange moves the flags of a command before its other arguments. The flag
// package stops at the first argument that is none, and what follows a trace
// would be taken for traces. It refuses unknown commands and flags by name.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 4 && args[1] == "help" { // of a command's own command, which the library's help does not find
		args = []string{args[0], args[2], args[3], "--help"}
	}
	if len(args) < 2 || slices.Contains([]string{"help", "h", "-h", "-help", "--help", "-v", "-version", "--version"}, args[1]) {
		return args, nil
	}
	if strings.HasPrefix(args[1], "-") {
		return nil, usagef("%s stands before the command: write cachesim run TRACE %[1]s, for example; cachesim help lists the commands", args[1])
	}
	command := app.Command(args[1])
	if command == nil {
		var known []string
		for _, c := range app.VisibleCommands() {
			known = append(known, c.Name)
		}
		if info, err := os.Stat(args[1]); err == nil && !info.IsDir() {
			return nil, usagef("unknown command %q: to replay that trace, say cachesim run %s", args[1], args[1])
		}
		return nil, usagef("unknown command %q%s", args[1], sim.DidYouMean(args[1], known))
	}
	path := []string{args[0], args[1]}
	if len(command.Subcommands) > 0 {
		if len(args) == 2 || args[2] == "help" || args[2] == "h" || command.Action == nil && strings.HasPrefix(args[2], "-") {
			return args, nil
		}
		var known []string
		var sub *cli.Command
		for _, c := range command.Subcommands {
			known = append(known, c.Name)
			if c.HasName(args[2]) {
				sub = c
			}
		}
		switch {
		case sub != nil:
			command, path = sub, append(path, args[2])
		case command.Action == nil:
			return nil, usagef("unknown command %q%s", args[1]+" "+args[2], sim.DidYouMean(args[2], known))
		}
	}
	takesValue := map[string]bool{"help": false, "h": false}
	var known []string
	for _, f := range command.Flags {
		set := flag.NewFlagSet("", flag.ContinueOnError)
		if err := f.Apply(set); err != nil {
			return nil, err
		}
		set.VisitAll(func(f *flag.Flag) {
			b, ok := f.Value.(interface{ IsBoolFlag() bool })
			takesValue[f.Name] = !(ok && b.IsBoolFlag())
			known = append(known, "--"+f.Name)
		})
	}
	var flags, rest []string
	for i := len(path); i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if a == "-" || !strings.HasPrefix(a, "-") {
			rest = append(rest, a)
			continue
		}
		name, _, inline := strings.Cut(strings.TrimLeft(a, "-"), "=")
		value, ok := takesValue[name]
		if !ok {
			return nil, usagef("unknown flag %s%s", a, sim.DidYouMean("--"+name, known))
		}
		if name == "help" || name == "h" { // with arguments, the library's help would look for one of that name
			return append(path, "--help"), nil
		}
		flags = append(flags, a)
		if value && !inline {
			if i++; i == len(args) {
				return nil, usagef("flag --%s expects a value", name)
			}
			flags = append(flags, args[i])
		}
	}
	out := append(path, flags...)
	return append(append(out, "--"), rest...), nil
}
