package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// texts collects the values of a flag that may be given several times. A slice
// flag of the library would split them at commas, which are part of values such
// as methods=GET,HEAD.
type texts []string

// Set adds a value.
func (t *texts) Set(s string) error {
	*t = append(*t, s)
	return nil
}

// String returns the values as help shows a default: there is none.
func (t *texts) String() string { return strings.Join(*t, " ") }

func textsFlag(category, name, usage string) cli.Flag {
	return &cli.GenericFlag{Category: category, Name: name, Usage: usage, Value: new(texts)}
}

// textsOf returns the values of a flag in the order in which they were given.
func textsOf(c *cli.Context, name string) []string {
	if t, ok := c.Generic(name).(*texts); ok {
		return *t
	}
	return nil
}
