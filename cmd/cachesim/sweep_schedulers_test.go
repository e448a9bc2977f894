package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needPrograms skips a test where a program is absent, unless the environment
// requires all schedulers. Jobs run this test's binary as cachesim.
func needPrograms(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CACHESIM_SCHEDULERS") == "required" {
				t.Fatalf("%v, and CACHESIM_SCHEDULERS=required", err)
			}
			t.Skipf("%s is not installed here; CACHESIM_SCHEDULERS=required has this fail", p)
		}
	}
	t.Setenv("CACHESIM_TEST_MAIN", "1")
}

// eventually calls ok until it returns true.
func eventually(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(limit)
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// daemon starts a program in the foreground and ends it with the test.
func daemon(t *testing.T, program string, args ...string) {
	t.Helper()
	c := exec.Command(program, args...)
	var printed bytes.Buffer
	c.Stdout, c.Stderr = &printed, &printed
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		timer.Stop()
		if t.Failed() {
			t.Logf("%s printed: %s", program, printed.String())
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startSlurm runs Slurm with one node, this machine, until the test ends.
func startSlurm(t *testing.T) {
	t.Helper()
	needPrograms(t, "munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
	dir, err := os.MkdirTemp("", "slurm") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, bytes.Repeat([]byte("not a secret, a test's. "), 16), 0o400); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "munge.socket")
	daemon(t, "munged", "--foreground", "--force", "--key-file="+key, "--socket="+socket, "--pid-file="+filepath.Join(dir, "munged.pid"),
		"--log-file="+filepath.Join(dir, "munged.log"), "--seed-file="+filepath.Join(dir, "seed"))
	eventually(t, "munged", 20*time.Second, func() bool { _, err := os.Stat(socket); return err == nil })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "slurm.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmUser=%[2]s
SlurmdUser=%[2]s
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
AuthType=auth/munge
AuthInfo=socket=%[5]s
CredType=cred/munge
StateSaveLocation=%[6]s/state
SlurmdSpoolDir=%[6]s/spool
SlurmctldPidFile=%[6]s/slurmctld.pid
SlurmdPidFile=%[6]s/slurmd.pid
SlurmctldLogFile=%[6]s/slurmctld.log
SlurmdLogFile=%[6]s/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=%[1]s Default=YES MaxTime=INFINITE State=UP
`, host, me.Username, freePort(t), freePort(t), socket, dir), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CONF", conf)
	daemon(t, "slurmctld", "-D", "-f", conf)
	daemon(t, "slurmd", "-D", "-f", conf)
	eventually(t, "Slurm's node", 60*time.Second, func() bool {
		out, _ := exec.Command("sinfo", "--noheader", "--format=%T").Output()
		return strings.TrimSpace(string(out)) == "idle"
	})
}

// TestSweepSlurm runs a sweep as a job array of a real Slurm. One task is cancelled
// and the process of another killed; both are repeated, and the results are those
// of this machine alone.
func TestSweepSlurm(t *testing.T) {
	startSlurm(t)
	path := smallSweep(t, "jobs = 1", "[slurm]", `options = ["--comment=sweep", "--nice=1"]`)
	want := sweepTable(t, path)
	type ended struct {
		stderr string
		code   int
	}
	over := make(chan ended, 1)
	go func() {
		_, stderr, code := cachesim("sweep", path, "--on", "slurm", "--shards", "8", "--submit")
		over <- ended{stderr, code}
	}()
	// The node has two processors: the last task waits when it is cancelled. The
	// first one seen running is killed; it may have finished by then.
	var cancelled, killed string
	eventually(t, "the array", 60*time.Second, func() bool {
		out, _ := exec.Command("squeue", "--me", "--noheader", "--array", "--states=all", "--Format=JobArrayID:64,State:32").Output()
		for line := range strings.Lines(string(out)) {
			f := strings.Fields(line)
			switch {
			case len(f) != 2:
			case cancelled == "" && strings.HasSuffix(f[0], "_7"):
				if err := exec.Command("scancel", f[0]).Run(); err != nil {
					t.Errorf("scancel %s: %v", f[0], err)
				}
				cancelled = f[0]
			case killed == "" && f[1] == "RUNNING":
				_ = exec.Command("scancel", "--signal=KILL", "--full", f[0]).Run()
				killed = f[0]
			}
		}
		return cancelled != "" && (killed != "" || len(over) > 0)
	})
	var e ended
	select {
	case e = <-over:
	case <-time.After(2 * time.Minute):
		t.Fatal("the sweep has not ended after 2 minutes")
	}
	t.Logf("cancelled %s, killed %s\n%s", cancelled, killed, e.stderr)
	if e.code != 0 {
		t.Fatalf("exit %d", e.code)
	}
	if !strings.Contains(e.stderr, "shard 8 was lost") {
		t.Error("the cancelled task is not reported as lost and repeated")
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The node has 2000 MB: a job that needs more is refused, and not waited for.
	var refusal bytes.Buffer
	ends, err := (&slurm{files: &jobFiles{Folder: filepath.Join(sweepResults(path), "sweep")}, stderr: &refusal}).run(t.Context(),
		[]*sweepJob{{args: []string{"--cell", "0"}, request: jobRequest{4 << 30, time.Hour}}}, func() {})
	if err != nil || ends[0] != refused || !strings.Contains(refusal.String(), "sbatch") {
		t.Errorf("got %v, %v, want a refusal: %s", ends, err, refusal.String())
	}
	logs, err := filepath.Glob(filepath.Join(sweepResults(path), "sweep", "log", "*_*.log"))
	if err != nil || len(logs) < 7 {
		t.Errorf("the tasks left %d logs, %v", len(logs), err)
	}
}

// TestSweepParallel runs a sweep with GNU parallel, by the command and by the script
// that it writes; there is nothing left to do when the script is started again.
func TestSweepParallel(t *testing.T) {
	needPrograms(t, "parallel")
	path := smallSweep(t)
	want := sweepTable(t, path)
	if _, stderr, code := cachesim("sweep", path, "--on", "parallel", "--shards", "4", "--submit"); code != 0 || !strings.Contains(stderr, "27 of 27 cells") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	path = smallSweep(t)
	if _, stderr, code := cachesim("sweep", path, "--on", "parallel", "--shards", "4"); code != 0 {
		t.Fatal(stderr)
	}
	script := filepath.Join(sweepResults(path), "sweep", "parallel.sh")
	journals := func() int {
		names, _ := filepath.Glob(filepath.Join(sweepResults(path), "journal", "*"))
		return len(names)
	}
	for range 2 {
		if out, err := exec.CommandContext(t.Context(), script).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if n := journals(); n != 4 {
			t.Errorf("%d jobs have run, want 4", n)
		}
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 0 {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestParallelEndings(t *testing.T) {
	log := "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n" +
		"2\t:\t1.5\t0.1\t0\t0\t0\t9\tcachesim 'a\"b\n" + "1\t:\t1.5\t0.1\t0\t0\t1\t0\tcachesim x\n" + "4\t:\t1.5\t0.1\t0\t0\t137\t0\tcachesim x\n"
	got, err := parallelEndings(file(t, "joblog", []byte(log)), 4)
	if want := fmt.Sprint([]ending{exited, killed, lost, killed}); err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

// TestSweepSnakemake has Snakemake check the workflow without running it, and run
// it on one core.
func TestSweepSnakemake(t *testing.T) {
	needPrograms(t, "snakemake")
	path := smallSweep(t)
	want := sweepTable(t, path)
	if _, stderr, code := cachesim("sweep", path, "--on", "snakemake", "--shards", "3"); code != 0 {
		t.Fatal(stderr)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, mode := range [][]string{{"--dry-run"}, {"--cores", "1"}} {
		c := exec.CommandContext(t.Context(), "snakemake", append(mode, "--snakefile", filepath.Join(sweepResults(path), "sweep", "Snakefile"))...)
		c.Dir = t.TempDir()
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("snakemake %v: %v\n%s", mode, err, out)
		}
		if mode[0] == "--dry-run" && !regexp.MustCompile(`(?m)^shard +3$`).Match(out) {
			t.Errorf("the workflow has not 3 shards:\n%s", out)
		}
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSweepSnakemakeSlurm has Snakemake run the jobs on a real Slurm.
func TestSweepSnakemakeSlurm(t *testing.T) {
	needPrograms(t, "snakemake")
	if out, err := exec.CommandContext(t.Context(), "snakemake", "--help").Output(); err != nil || !bytes.Contains(out, []byte("--slurm-no-account")) {
		if os.Getenv("CACHESIM_SCHEDULERS") == "required" {
			t.Fatalf("Snakemake's executor for Slurm is not installed (%v), and CACHESIM_SCHEDULERS=required", err)
		}
		t.Skip("Snakemake's executor for Slurm is not installed")
	}
	startSlurm(t)
	path := smallSweep(t)
	want := sweepTable(t, path)
	if _, stderr, code := cachesim("sweep", path, "--on", "snakemake", "--shards", "3"); code != 0 {
		t.Fatal(stderr)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	// The executor takes SLURM_CONF from the jobs, as clusters have the file in its
	// place; srun needs it within them.
	srun, err := exec.LookPath("srun")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nSLURM_CONF=%s exec %s \"$@\"\n", shellQuote(os.Getenv("SLURM_CONF")), shellQuote(srun))
	if err := os.WriteFile(filepath.Join(bin, "srun"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	logs := t.TempDir()
	c := exec.CommandContext(t.Context(), "snakemake", "--executor", "slurm", "--jobs", "3",
		"--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1",
		"--slurm-logdir", logs, "--slurm-keep-successful-logs", "--default-resources", "slurm_partition=main",
		"--latency-wait", "1", "--snakefile", filepath.Join(sweepResults(path), "sweep", "Snakefile"))
	c.Dir = t.TempDir()
	out, err := c.CombinedOutput()
	if err != nil {
		names, _ := filepath.Glob(filepath.Join(logs, "*", "*", "*.log"))
		if len(names) > 0 {
			log, _ := os.ReadFile(names[0])
			out = append(out, log...)
		}
		t.Fatalf("snakemake: %v\n%s", err, out)
	}
	if n := bytes.Count(out, []byte("has been submitted with SLURM jobid")); n != 3 {
		t.Errorf("%d jobs were submitted to Slurm, want 3:\n%s", n, out)
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const kubernetesSection = `[kubernetes]
image = "registry.example/cachesim:1"
claim = "sweep"`

// TestSweepKubernetes runs the command of the container once for each index, as an
// Indexed Job does.
func TestSweepKubernetes(t *testing.T) {
	path := smallSweep(t, kubernetesSection)
	want := sweepTable(t, path)
	if _, stderr, code := cachesim("sweep", path, "--on", "kubernetes", "--shards", "4"); code != 0 {
		t.Fatal(stderr)
	}
	manifest := tableOf(t, filepath.Join(sweepResults(path), "sweep"), "job.yaml")
	field := func(pattern string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(manifest)
		if m == nil {
			t.Fatalf("%s matches nothing in\n%s", pattern, manifest)
		}
		return m[1]
	}
	var command []string
	if err := json.Unmarshal([]byte(field(`(?m)^ +command: (\[.*\])$`)), &command); err != nil {
		t.Fatal(err)
	}
	if field(`(?m)^ +completionMode: (.*)$`) != "Indexed" || field(`(?m)^ +mountPath: (.*)$`) != strconv.Quote(filepath.Dir(path)) {
		t.Error(manifest)
	}
	n, err := strconv.Atoi(field(`(?m)^ +completions: (\d+)$`))
	if err != nil || n != 4 {
		t.Fatalf("%d completions, %v", n, err)
	}
	for i := range n {
		t.Setenv("JOB_COMPLETION_INDEX", strconv.Itoa(i))
		if _, stderr, code := cachesim(command[1:]...); code != 0 {
			t.Fatalf("index %d: exit %d: %s", i, code, stderr)
		}
	}
	if _, stderr, code := cachesim("merge", sweepResults(path), "--out", sweepResults(path), "--format", "svg"); code != 0 {
		t.Fatal(stderr)
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSweepKubernetesSchema validates the manifest with the schemas of Kubernetes.
func TestSweepKubernetesSchema(t *testing.T) {
	needPrograms(t, "kubernetes-validate")
	path := smallSweep(t, kubernetesSection)
	if _, stderr, code := cachesim("sweep", path, "--on", "kubernetes", "--shards", "4"); code != 0 {
		t.Fatal(stderr)
	}
	name := filepath.Join(sweepResults(path), "sweep", "job.yaml")
	if out, err := exec.CommandContext(t.Context(), "kubernetes-validate", "--strict", name).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	// The validator must be able to refuse.
	bad := strings.Replace(tableOf(t, filepath.Dir(name), "job.yaml"), "completions: 4", "completion: 4", 1)
	if out, err := exec.CommandContext(t.Context(), "kubernetes-validate", "--strict", file(t, "bad.yaml", []byte(bad))).CombinedOutput(); err == nil {
		t.Errorf("a misspelt field was accepted: %s", out)
	}
}
