package traces

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// strftimePrio is that of times that a layout puts together itself.
const strftimePrio = 5

// strftimeToken compiles the argument of Apache's %{...}t.
func strftimeToken(arg string) (layoutToken, error) {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "begin:"), "end:")
	arg = strings.Trim(arg, `"`)
	switch arg {
	case "sec":
		return layoutToken{name: "sec", prio: 4, clock: scaledTime(second), every: time.Second}, nil
	case "msec":
		return layoutToken{name: "msec", prio: 9, clock: scaledTime(1000), every: time.Millisecond}, nil
	case "usec":
		return layoutToken{name: "usec", prio: 10, clock: scaledTime(1), every: time.Microsecond}, nil
	case "msec_frac":
		return layoutToken{name: "msec_frac", part: true, clock: scaledTime(1000), every: time.Millisecond}, nil
	case "usec_frac":
		return layoutToken{name: "usec_frac", part: true, clock: scaledTime(1), every: time.Microsecond}, nil
	case "%z":
		return layoutToken{name: "zone", part: true, every: time.Second, clock: func(b []byte) (int64, bool) {
			t, ok := zoneOffset(b)
			return -t, ok
		}}, nil
	}
	t := layoutToken{name: "time", prio: strftimePrio, every: time.Second}
	for _, short := range [][2]string{{"%T", "%H:%M:%S"}, {"%F", "%Y-%m-%d"}, {"%D", "%m/%d/%y"}, {"%R", "%H:%M"}} {
		arg = strings.ReplaceAll(arg, short[0], short[1])
	}
	whole := strings.Contains(arg, "%s") || (strings.Contains(arg, "%Y") || strings.Contains(arg, "%y")) &&
		(strings.Contains(arg, "%m") || strings.Contains(arg, "%b") || strings.Contains(arg, "%h")) &&
		(strings.Contains(arg, "%d") || strings.Contains(arg, "%e"))
	for i := 0; i < len(arg); i++ {
		if arg[i] != '%' {
			continue
		}
		if i++; i == len(arg) || strings.IndexByte("YymbhdeHMSzZsaA%"+optionalZone, arg[i]) < 0 {
			return t, fmt.Errorf("the time %%{%s}t has a part that cachesim does not read", arg)
		}
	}
	t.format = arg
	if !whole { // a part of a time alone has no order
		t.prio = 0
		return t, nil
	}
	t.clock = func(b []byte) (int64, bool) {
		micros, rest, ok := strptime(arg, b)
		return micros, ok && len(rest) == 0
	}
	return t, nil
}

// scaledTime returns a clock for numbers of so many microseconds each.
func scaledTime(micros int64) func([]byte) (int64, bool) {
	return func(b []byte) (int64, bool) {
		n, ok := parseUint(b)
		return int64(n) * micros, ok && n < 1e18/uint64(micros)
	}
}

// optionalZone is a letter of our own for a blank and %z, or nothing.
const optionalZone = "Q"

// strptime reads the time that b starts with by a layout of strftime, and
// returns what follows it. The date is 1 January 1970 but for what the layout
// has of it.
func strptime(layout string, b []byte) (micros int64, rest []byte, ok bool) {
	year, month, day := 1970, 1, 1
	var clock, zone int64
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			if len(b) == 0 || b[0] != layout[i] {
				return 0, nil, false
			}
			b = b[1:]
			continue
		}
		i++
		n := 2 // width
		switch layout[i] {
		case 'Y':
			n = 4
		case 'b', 'h', 'a':
			n = 3
		case optionalZone[0]:
			if len(b) < 6 || b[0] != ' ' || b[1] != '+' && b[1] != '-' || digits(b[2:6]) < 0 {
				continue
			}
			b = b[1:]
			n = 5
		case 'z':
			n = 5
		case '%':
			n = 1
		case 's', 'Z', 'A':
			n = 0
			for n < len(b) && (b[n]-'0' <= 9 || b[n]|0x20-'a' <= 25) {
				n++
			}
		}
		if len(b) < n {
			return 0, nil, false
		}
		field := b[:n]
		b = b[n:]
		v := 0
		switch layout[i] {
		case 'Y':
			year = digits(field)
		case 'y':
			if v = digits(field); v >= 69 {
				year = 1900 + v
			} else {
				year = 2000 + v
			}
		case 'm':
			month = digits(field)
		case 'b', 'h':
			month = monthName(field)
		case 'd', 'e':
			day = digits(bytes.TrimLeft(field, " "))
		case 'H':
			v = digits(field)
			clock += int64(v) * 3600 * second
		case 'M':
			v = digits(field)
			clock += int64(v) * 60 * second
		case 'S':
			v = digits(field)
			clock += int64(v) * second
		case 'z', optionalZone[0]:
			if zone, ok = zoneOffset(field); !ok {
				return 0, nil, false
			}
		case 's':
			t, ok := epochTime(field)
			return t, b, ok
		}
		if v < 0 || v > 99 {
			return 0, nil, false
		}
	}
	t, ok := calendar(year, month, day)
	return t + clock - zone, b, ok
}
