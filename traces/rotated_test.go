package traces

import (
	"slices"
	"strings"
	"testing"
)

func TestInTimeOrder(t *testing.T) {
	for _, test := range []struct{ names, want string }{
		{"access.log access.log.1 access.log.10.gz access.log.2.gz", "access.log.10.gz access.log.2.gz access.log.1 access.log"},
		{"access.log.2.gz access.log.1", "access.log.2.gz access.log.1"},
		{"/var/log/a.log.1 /var/log/a.log.2.xz", "/var/log/a.log.2.xz /var/log/a.log.1"},
		{"a.log a.log-20240102 a.log-20240101.gz", "a.log-20240101.gz a.log-20240102 a.log"},
		{"a.log.2024010203 a.log.2024010202", "a.log.2024010202 a.log.2024010203"},
		// Not of one log, or not rotated.
		{"access.log error.log.1", "access.log error.log.1"},
		{"x/access.log y/access.log.1", "x/access.log y/access.log.1"},
		{"trace.1 trace-20240101", "trace.1 trace-20240101"},
		{"a.log a.log", "a.log a.log"},
		{"access.log access.log.1 access.log", "access.log access.log.1 access.log"},
		{"2.gz 1.gz", "2.gz 1.gz"},
		{"dir/.1 dir/.2", "dir/.1 dir/.2"},
		{"access.log.1", "access.log.1"},
		{"trace.csv.00 trace.csv.01 trace.csv.02", "trace.csv.00 trace.csv.01 trace.csv.02"},
		{"trace.log.00 trace.log.01", "trace.log.00 trace.log.01"},
		{"trace.1 trace.2", "trace.1 trace.2"},
		{"part-00001.gz part-00000.gz", "part-00001.gz part-00000.gz"},
	} {
		names := strings.Fields(test.names)
		got, changed := InTimeOrder(names)
		if strings.Join(got, " ") != test.want || changed != (test.names != test.want) {
			t.Errorf("%s: got %q, %v, want %s", test.names, got, changed, test.want)
		}
		if !slices.Equal(names, strings.Fields(test.names)) {
			t.Errorf("%s: it was written to", test.names)
		}
	}
	if got, changed := InTimeOrder(nil); len(got) > 0 || changed {
		t.Error("no names")
	}
}
