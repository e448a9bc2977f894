"""Evaluates policies in C for OpenEvolve: build, then `cachesim score`.

The program that evolves is policy.c of `cachesim policy new NAME --lang c`, whole, or the one
function of policy.c that `--scaffold priority` adds to that command. KIT is the folder of the
project, by default that of this file. CACHESIM names the command, SUITE the suite.
"""
import json, os, pathlib, subprocess, tempfile
from openevolve.evaluation_result import EvaluationResult

HERE = pathlib.Path(__file__).resolve().parent
CLANG = "clang --target=wasm32 -O3 -ffreestanding -nostdlib -Wl,--no-entry".split()
WORST = -1.0  # what a policy has that misses every request which FIFO hits


def evaluate(program_path, stage="train"):
    with tempfile.TemporaryDirectory() as folder:
        module = f"{folder}/policy.wasm"
        build = subprocess.run([*CLANG, f"-I{os.environ.get('KIT', HERE)}", "-x", "c", str(program_path), "-o", module], capture_output=True, text=True, timeout=60)
        if build.returncode:
            return EvaluationResult(metrics={"combined_score": WORST}, artifacts={"stderr": build.stderr[-4000:]})
        command = [os.environ.get("CACHESIM", "cachesim"), "score", module, "--stage", stage, "--suite", os.environ.get("SUITE", HERE / "suite.toml")]
        run = subprocess.run(command, capture_output=True, text=True)
    if not run.stdout:  # not the policy's fault
        raise RuntimeError(run.stderr)
    score = json.loads(run.stdout)
    metrics = {"combined_score": score["combined_score"] if score["ok"] else WORST, "ns_per_request": score["ns_per_request"]}
    metrics |= {f"{c['trace']} at {c['share']:g}": c["vs_fifo"] for c in score["cells"]}
    return EvaluationResult(metrics=metrics, artifacts={"error": score["error"]} if score["error"] else {})


def evaluate_stage1(program_path):
    return evaluate(program_path, "sample")


def evaluate_stage2(program_path):
    return evaluate(program_path, "train")
