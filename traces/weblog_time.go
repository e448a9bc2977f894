package traces

import "bytes"

// Times of access logs, in microseconds since 1970. All are parsed by hand:
// time.Parse takes longer than the rest of a line.

const second = 1_000_000 // microseconds

// logTime reads a time in whichever of the usual forms it has:
//
//	17/May/2015:10:05:03 +0000      Common Log Format, also with .123 and without the zone
//	2015-05-17T10:05:03.123+00:00   RFC 3339 and ISO 8601, also with a blank for the T
//	1431857103.123                  seconds since 1970; milli-, micro- or nanoseconds by magnitude
//	Sun, 17 May 2015 10:05:03 GMT   as in HTTP
//
// A time without a zone is taken as UTC: only differences matter.
func logTime(b []byte) (int64, bool) {
	switch {
	case len(b) >= 20 && b[2] == '/':
		return clfTime(b)
	case len(b) >= 19 && b[4] == '-':
		return isoTime(b)
	case len(b) >= 25 && b[3] == ',':
		day, ok1 := calendar(digits(b[12:16]), monthName(b[8:11]), digits(b[5:7]))
		clock, rest, ok2 := clockTime(b[17:])
		return day + clock, ok1 && ok2 && string(rest) == " GMT"
	case len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']':
		return logTime(b[1 : len(b)-1])
	}
	return epochTime(b)
}

// clfTime reads 17/May/2015:10:05:03 +0000.
func clfTime(b []byte) (int64, bool) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' {
		return 0, false
	}
	day, ok := calendar(digits(b[7:11]), monthName(b[3:6]), digits(b[:2]))
	if !ok {
		return 0, false
	}
	return zonedTime(day, b[12:])
}

// zonedTime adds to a day the time in b, 10:05:03 with its fraction, if any, and
// its time zone, which a blank may separate.
func zonedTime(day int64, b []byte) (int64, bool) {
	clock, rest, ok := clockTime(b)
	if !ok {
		return 0, false
	}
	if len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	zone, ok := zoneOffset(rest)
	return day + clock - zone, ok
}

// isoTime reads 2015-05-17T10:05:03.123+00:00.
func isoTime(b []byte) (int64, bool) {
	if len(b) < 19 || b[10] != 'T' && b[10] != ' ' {
		return 0, false
	}
	day, ok := isoDate(b[:10])
	if !ok {
		return 0, false
	}
	return zonedTime(day, b[11:])
}

// isoDate reads 2015-05-17.
func isoDate(b []byte) (int64, bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	return calendar(digits(b[:4]), digits(b[5:7]), digits(b[8:10]))
}

// clockTime reads 10:05:03, and a fraction where there is one.
func clockTime(b []byte) (micros int64, rest []byte, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, nil, false
	}
	h, m, s := digits(b[:2]), digits(b[3:5]), digits(b[6:8])
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, nil, false
	}
	micros = int64(h*3600+m*60+s) * second
	rest = b[8:]
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		unit := int64(second / 10)
		i := 1
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			micros += int64(rest[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return 0, nil, false
		}
		rest = rest[i:]
	}
	return micros, rest, true
}

// zoneOffset reads +0000, +00:00, +00, Z, UTC or nothing.
func zoneOffset(b []byte) (int64, bool) {
	switch string(b) {
	case "", "Z", "UTC", "GMT", "+0000":
		return 0, true
	}
	sign := int64(second)
	switch b[0] {
	case '-':
		sign = -second
	case '+':
	default:
		return 0, false
	}
	b = b[1:]
	h, m := -1, 0
	switch {
	case len(b) == 2:
		h = digits(b)
	case len(b) == 4:
		h, m = digits(b[:2]), digits(b[2:])
	case len(b) == 5 && b[2] == ':':
		h, m = digits(b[:2]), digits(b[3:])
	}
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	return sign * int64(h*3600+m*60), true
}

// epochTime reads a number of seconds with or without a fraction, or of milli-,
// micro- or nanoseconds: by its size, as all the four are in use and are years
// 1973 to 5138 in seconds.
func epochTime(b []byte) (int64, bool) {
	if i := bytes.IndexAny(b, "eE"); i > 0 {
		return scientificTime(b, i)
	}
	whole, ok := parseDecimal(b, 0)
	if !ok || whole < 0 {
		return 0, false
	}
	switch {
	case whole < 1e11:
		return parseDecimal(b, 6)
	case whole < 1e14:
		return parseDecimal(b, 3)
	case whole < 1e17:
		return whole, true
	}
	return whole / 1000, true
}

// scientificTime reads 1.646861401524e+09, which some encoders of JSON write.
func scientificTime(b []byte, e int) (int64, bool) {
	exp, ok := parseUint(bytes.TrimPrefix(b[e+1:], []byte{'+'}))
	if !ok || exp > 18 {
		return 0, false
	}
	whole, frac, _ := bytes.Cut(b[:e], []byte{'.'})
	var buf [64]byte
	plain := append(buf[:0], whole...)
	for i := range exp {
		if int(i) < len(frac) {
			plain = append(plain, frac[i])
		} else {
			plain = append(plain, '0')
		}
	}
	if int(exp) < len(frac) {
		plain = append(append(plain, '.'), frac[exp:]...)
	}
	return epochTime(plain)
}

// digits returns the number that all bytes of b are the digits of, or -1.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return -1
		}
		n = n*10 + int(d)
	}
	return n
}

// monthName returns 1 for Jan to 12 for Dec, and 0 for anything else.
func monthName(b []byte) int {
	if len(b) != 3 {
		return 0
	}
	switch uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9
	case 'O'<<16 | 'c'<<8 | 't':
		return 10
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}

// calendar returns the start of a day of the Gregorian calendar, in
// microseconds since 1970. The days are counted in years that start in March,
// which puts the leap day last.
func calendar(year, month, day int) (int64, bool) {
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, false
	}
	if month <= 2 {
		year--
		month += 12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1
	return int64(days-719468) * 86400 * second, true
}
