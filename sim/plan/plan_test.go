package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
)

var ways = Ways{
	ABIs: []string{"pair", "bincode", "batch"}, Handles: []string{"uncached", "srs", "driver"},
	Combines: func(abi, handle string) bool { return abi != "batch" || handle != "driver" },
	Batch:    "batch", Driver: "driver", SRS: "srs",
	DefaultEngines: []string{"native", "singlepass", "cranelift"}, DefaultABIs: []string{"pair", "batch"}, DefaultHandles: []string{"srs", "driver"},
	Preferred: []string{"cranelift", "singlepass"},
}

var (
	both   = Policy{Name: "lru", Native: true, Guest: true, ABIs: ways.ABIs}
	native = Policy{Name: "belady", Native: true}
	module = Policy{Name: "my.wasm", Guest: true, ABIs: []string{"pair"}}
	stuck  = Policy{Name: "go.wasm", Guest: true, ABIs: []string{"batch"}, Refuses: func(e string) string {
		return map[string]string{"llvm": "it imports WASI"}[e]
	}}
)

func text(versions []sim.Version) string {
	var all []string
	for _, v := range versions {
		all = append(all, v.String())
	}
	return strings.Join(all, " ")
}

func TestVersions(t *testing.T) {
	tests := []struct {
		policy        Policy
		choice        Choice
		times, ratios string
	}{
		{both, Choice{},
			"native singlepass/pair/srs singlepass/pair/driver singlepass/batch/srs cranelift/pair/srs cranelift/pair/driver cranelift/batch/srs", "native"},
		{native, Choice{}, "", "native"},
		{native, Choice{TimeAll: true}, "native", "native"},
		{module, Choice{}, "singlepass/pair/srs singlepass/pair/driver cranelift/pair/srs cranelift/pair/driver", "cranelift/pair/driver"},
		{both, Choice{Engines: []string{"native"}}, "native", "native"},
		{both, Choice{Engines: []string{"singlepass"}}, "singlepass/pair/srs singlepass/pair/driver singlepass/batch/srs", "singlepass/batch/srs"},
		{both, Choice{Engines: []string{"native", "cranelift"}, ABIs: []string{"bincode"}},
			"native cranelift/bincode/srs cranelift/bincode/driver", "native cranelift/bincode/srs cranelift/bincode/driver"},
		{both, Choice{ABIs: []string{"pair"}, Handles: []string{"uncached"}}, "native singlepass/pair/uncached cranelift/pair/uncached", "native"},
		{module, Choice{ABIs: []string{"batch", "pair"}, Handles: []string{"srs"}}, "singlepass/pair/srs cranelift/pair/srs", "cranelift/pair/srs"},
		{stuck, Choice{Engines: []string{"llvm", "cranelift"}}, "cranelift/batch/srs", "cranelift/batch/srs"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.policy.Name, tt.choice), func(t *testing.T) {
			times, ratios, _, err := Versions(tt.policy, tt.choice, ways)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(times); got != tt.times {
				t.Errorf("times: got %s, want %s", got, tt.times)
			}
			if got := text(ratios); got != tt.ratios {
				t.Errorf("hit ratios: got %s, want %s", got, tt.ratios)
			}
		})
	}
}

func TestVersionsMismatch(t *testing.T) {
	tests := []struct {
		policy Policy
		choice Choice
		want   string
	}{
		{native, Choice{Engines: []string{"cranelift"}}, "policy belady: it has no WASM version: choose the engine native"},
		{module, Choice{Engines: []string{"native"}}, "policy my.wasm: it has no native version: choose a WASM engine"},
		{module, Choice{ABIs: []string{"batch"}}, "policy my.wasm: it supports the ABIs pair, and not batch"},
		{stuck, Choice{Handles: []string{"driver"}}, "policy go.wasm: it supports the ABI batch only, which does not go with the handle driver"},
		{stuck, Choice{Engines: []string{"llvm"}}, "policy go.wasm: go.wasm is left out on llvm: it imports WASI"},
	}
	for _, tt := range tests {
		_, _, _, err := Versions(tt.policy, tt.choice, ways)
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.policy.Name, err, tt.want)
		}
	}
}

func TestTasks(t *testing.T) {
	tr := &sim.Trace{Name: "t", Digest: "d", Requests: 1000, Objects: 10}
	o := Options{
		Capacities: []Capacity{{10, "1%"}, {20, "2%"}}, Unit: sim.UnitBytes, Warmup: 100, Seeds: []uint64{1, 2},
		Timing: 50, TimedAt: 20, GuestMemory: 1 << 20,
	}
	tasks, _, err := Tasks(tr, []Policy{both, native}, Choice{Engines: []string{"native", "cranelift"}}, ways, o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, task := range tasks {
		got = append(got, fmt.Sprint(task.Policy, " ", task.Size, " ", task.Version, " ", task.Seed, " ", task.Requests, " ", task.Warmup, " ", task.Timed, " ", task.GuestMemory))
	}
	want := []string{
		"lru 1% native 1 1000 100 false 0", "lru 1% native 2 1000 100 false 0",
		"lru 1% cranelift/batch/srs 1 1000 100 false 1048576", "lru 1% cranelift/batch/srs 2 1000 100 false 1048576",
		"lru 2% native 1 1000 100 false 0", "lru 2% native 2 1000 100 false 0",
		"lru 2% cranelift/batch/srs 1 1000 100 false 1048576", "lru 2% cranelift/batch/srs 2 1000 100 false 1048576",
		"lru 2% native 1 50 0 true 0", "lru 2% cranelift/pair/srs 1 50 0 true 1048576",
		"lru 2% cranelift/pair/driver 1 50 0 true 1048576", "lru 2% cranelift/batch/srs 1 50 0 true 1048576",
		"belady 1% native 1 1000 100 false 0", "belady 1% native 2 1000 100 false 0",
		"belady 2% native 1 1000 100 false 0", "belady 2% native 2 1000 100 false 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTasksNeedTime(t *testing.T) {
	timed := native
	timed.Needs = sim.NeedsTime
	_, _, err := Tasks(&sim.Trace{Name: "t"}, []Policy{timed}, Choice{}, ways, Options{Capacities: []Capacity{{1, "1"}}, Seeds: []uint64{1}})
	if err == nil || !strings.Contains(err.Error(), "trace t has none") {
		t.Errorf("got %v, want an error about the trace's times", err)
	}
}

// TestShard cuts a plan into shards: together they are the plan, and a group of
// cells that are compared is never cut.
func TestShard(t *testing.T) {
	tr := &sim.Trace{Name: "t", Digest: "d", Requests: 1000, Objects: 10}
	var capacities []Capacity
	for i := range int64(40) {
		capacities = append(capacities, Capacity{i + 1, fmt.Sprint(i)})
	}
	tasks, _, err := Tasks(tr, []Policy{both, native}, Choice{Engines: []string{"native", "cranelift"}}, ways,
		Options{Capacities: capacities, Seeds: []uint64{1}, Timing: 50, TimedAt: 20})
	if err != nil {
		t.Fatal(err)
	}
	const n = 4
	groups := make(map[sim.Cell]int)
	total := 0
	for i := 1; i <= n; i++ {
		shard := Shard(tasks, i, n)
		if len(shard) == 0 || len(shard) == len(tasks) {
			t.Errorf("shard %d has %d of %d tasks", i, len(shard), len(tasks))
		}
		total += len(shard)
		for _, task := range shard {
			if other, ok := groups[task.Group()]; ok && other != i {
				t.Errorf("%v is compared with cells of shards %d and %d", task.Cell, other, i)
			}
			groups[task.Group()] = i
		}
	}
	if total != len(tasks) {
		t.Errorf("the shards have %d tasks in all, want %d", total, len(tasks))
	}
}

// TestTimeOfPolicy: the estimates know what each policy takes over LRU.
func TestTimeOfPolicy(t *testing.T) {
	tr := &sim.Trace{Name: "t", Digest: "d", Requests: 1_000_000, Objects: 100_000}
	slow := native
	slow.Name, slow.Cost = "slow", 4
	plain := native
	plain.Cost = 1
	tasks, _, err := Tasks(tr, []Policy{plain, slow}, Choice{}, ways, Options{Capacities: []Capacity{{10, "1%"}}, Unit: sim.UnitBytes, Seeds: []uint64{1}})
	if err != nil {
		t.Fatal(err)
	}
	if d := tasks[1].Time - 4*tasks[0].Time; d < -4 || d > 4 || tasks[0].Time <= 0 {
		t.Errorf("got %d and %d ns, want 4 times as many for the second", tasks[0].Time, tasks[1].Time)
	}
}
