#!/usr/bin/python3
"""Runs the test suites (all, or those named) and ends in 'N passed, N failed'.

A suite is one or more commands that print TAP. A command that dies, or whose plan does not match what it printed, counts
as one failure more; '1..0 # SKIP' is a plan, too, and what was skipped is said. Two commands run at a time."""
import concurrent.futures
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
RUNTIME = os.environ.get("MX_RT_TESTS", os.path.join(ROOT, "build", "tests"))
CPUS = ["generic", "avx2", "avx512"] if platform.machine() in ("x86_64", "amd64") else ["generic"]
PROGRAMS = ["test_gemm_f64", "test_gemm_f32", "test_gemm_special_f64", "test_gemm_special_f32", "test_factor_f64",
            "test_factor_f32", "test_solve_f64", "test_solve_f32", "test_threads_f64", "test_threads_f32",
            "test_machine_f64", "test_machine_f32", "test_epilogue_f64", "test_epilogue_f32", "test_openmp",
            "test_dispatch"]


def script(suite):
    return [([os.path.join(TESTS, suite, "run.py")], {})]


SUITES = {suite: script(suite) for suite in ("lang", "calculus", "generated", "random", "fuzz", "house")}
SUITES["calculus"] = [(SUITES["calculus"][0][0], {"MX_PART": f"{part}/6"}) for part in range(1, 7)]
SUITES["calculus"] += [([os.path.join(TESTS, "calculus", name)], {})
                       for name in ("identities.py", "derivations.py", "second_order.py", "records.py")]
SUITES["runtime"] = [([os.path.join(RUNTIME, program)], {"MXRT_CPU": cpu})
                     for cpu in CPUS for program in PROGRAMS]
SUITES["runtime"] += [([os.path.join(RUNTIME, f"test_fixed_{real}_{cpu}")], {})
                      for cpu in CPUS for real in ("f64", "f32")]


def add_neon():
    """Every 16th case of the products for NEON on a simulated processor; what is lacking for that is said."""
    programs = sorted(glob.glob(os.path.join(RUNTIME, "..", "neon", "tests", "test_*_f??*")))
    if shutil.which("qemu-aarch64") and programs:
        SUITES["runtime"] += [(["qemu-aarch64", program], {"MX_EVERY": "16"}) for program in programs]
    else:
        print("runtime: NEON is not tested: no aarch64-linux-gnu-gcc or no qemu-aarch64", flush=True)


def run(job):
    suite, (command, environment) = job
    begin = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **environment})
    return suite, command, environment, done, time.monotonic() - begin


def judge(text, status):
    """Passed, failed, and the lines that explain the failures."""
    passed = len(re.findall(r"^ok\b", text, re.M))
    failed = re.findall(r"^not ok\b.*(?:\n#.*)*", text, re.M)
    plan = re.search(r"^1\.\.(\d+)$|^1\.\.(0) # SKIP .*$", text, re.M)
    if plan is None or int(plan.group(1) or plan.group(2)) != passed + len(failed) or (status != 0 and not failed):
        failed.append(f"the run ended with status {status} and {'no plan' if plan is None else plan.group(0)}:\n"
                      + text[-2000:])
    return passed, failed


def main():
    add_neon()
    chosen = sys.argv[1:] or list(SUITES)
    unknown = [suite for suite in chosen if suite not in SUITES]
    if unknown:
        sys.exit(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}")
    jobs = [(suite, job) for suite in chosen for job in SUITES[suite]]
    passed = failures = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, (suite, command, environment, done, seconds) in enumerate(pool.map(run, jobs), 1):
            good, failed = judge(done.stdout.decode(errors="replace"), done.returncode)
            passed += good
            failures += len(failed)
            name = " ".join([f"{k}={v}" for k, v in environment.items()] + [os.path.relpath(command[-1], ROOT)])
            print(f"[{number}/{len(jobs)}] {suite}: {name}: {good} passed, {len(failed)} failed, {seconds:.0f} s", flush=True)
            for reason in re.findall(rb"^1\.\.0 # SKIP (.*)$", done.stdout, re.M):
                print(f"skipped: {reason.decode()}", flush=True)
            for text in failed[:20]:
                print(text, flush=True)
    print(f"{passed} passed, {failures} failed")
    sys.exit(1 if failures else 0)


main()
