#!/usr/bin/python3
"""Hessians and a Newton step by generated code beside JAX and PyTorch, one thread on one processor, in turn in one run.

  problems.py [PROBLEM…]     without arguments all of tests/bench/problems

Each peer is a process of its own that computes when told to; all take turns, and medians count. Values must agree to
1e-9 before anything is timed. PyTorch runs in this Python; JAX in that of MX_BENCH_JAX (default: this one). What is not
found is said. Of several ways of a peer (one row at a time, vectorised, compiled) the one that is fastest at first counts.
The bound is the larger of flops at the speed of a large product and of arguments at that of a copy, both measured here.
"""
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("MX_BUILD", os.path.join(ROOT, "build"))
FLAGS = os.environ.get("MX_BENCH_CFLAGS", "-O3 -march=native").split()
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
              "JAX_ENABLE_X64": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
TURNS, LEAST_SECONDS = 9, 0.02
# Sizes; the output to compare; what a peer's function is, of the variable and the other inputs.
PROBLEMS = {
    "quadratic": (dict(n=2048), "d2f_dx_dx"),
    "logistic": (dict(m=2048, n=256), "d2f_dw_dw"),
    "factorisation": (dict(m=256, n=256, k=8), "d2f_dU_dU"),
    "logsumexp": (dict(n=2048), "d2f_dx_dx"),
    "newton": (dict(m=2048, n=256), "next"),
    "factorisation_compressed": (dict(m=256, n=256, k=8), None),
}
APART = {"factorisation_compressed": "factorisation"}


# ---- Generated code ----

def facts_of(problem):
    path = os.path.join(HERE, "problems", problem + ".mx")
    return json.loads(subprocess.check_output([os.path.join(BUILD, "mxc"), "--emit=json", path]))["functions"][0]


def number(text, dims):
    return eval(str(text), {}, dict(dims))


def draw(problem, dims):
    import numpy as np
    rng, inputs = np.random.default_rng(7), {}
    for argument in facts_of(problem)["inputs"]:
        shape = [number(size, dims) for size in argument["shape"]]
        inputs[argument["name"]] = rng.standard_normal(shape) / (shape[-1] ** 0.5 if len(shape) == 2 else 1)
    return inputs


def generated(problem, dims, inputs, folder):
    """The ways to compute, by name: functions that compute once and give the output."""
    import numpy as np
    path, c = os.path.join(HERE, "problems", problem + ".mx"), os.path.join(folder, problem + ".c")
    subprocess.check_call([os.path.join(BUILD, "mxc"), "-o", c, path])
    subprocess.check_call([os.environ.get("CC", "cc"), "-std=c99", *FLAGS, "-fPIC", "-shared", "-I", os.path.join(ROOT, "runtime"), c,
                           os.path.join(BUILD, "libmxrt.a"), "-lm", "-o", c + ".so"])
    facts, code = facts_of(problem), ctypes.CDLL(c + ".so")
    entry, measure = code[facts["name"]], code[facts["name"] + "_worksize"]
    measure.restype = ctypes.c_size_t
    sizes = [ctypes.c_size_t(dims[d]) for d in facts["dims"]]
    work = np.zeros(measure(*sizes), dtype=np.uint8)
    outputs = {o["name"]: np.zeros([number(size, dims) for size in o["shape"]]) for o in facts["outputs"]}
    arrays = [inputs[i["name"]] for i in facts["inputs"]] + list(outputs.values()) + [work]

    def compute():
        if entry(*sizes, *[ctypes.c_void_p(a.ctypes.data) for a in arrays]) != 0:
            raise SystemExit(f"{facts['name']}: failed")
        return outputs.get(PROBLEMS[problem][1])
    return {"mxc": compute}


# ---- Peers: f and how its Hessian is had ----

def value_of(problem, lib):
    """The function of the variable; the variable's name."""
    return {
        "quadratic": (lambda x, A: x @ A @ x, "x"),
        "logistic": (lambda w, X, y: lib.softplus(-y * (X @ w)).sum(), "w"),
        "factorisation": (lambda U, T, V: ((T - U @ V.T) ** 2).sum(), "U"),
        "logsumexp": (lambda x: lib.logsumexp(x), "x"),
        "newton": (lambda w, X, y: (lib.exp(X @ w) - y * (X @ w)).sum(), "w"),
    }[problem]


def jax_ways(problem, dims, inputs, folder):
    import jax
    import jax.numpy as jnp
    import types
    lib = types.SimpleNamespace(softplus=jax.nn.softplus, logsumexp=jax.scipy.special.logsumexp, exp=jnp.exp)
    f, name = value_of(problem, lib)
    at = jnp.asarray(inputs[name])
    rest = {k: jnp.asarray(v) for k, v in inputs.items() if k != name}

    def way(hessian):
        def result(x, others):
            def g(x):
                return f(x, **others)
            if problem != "newton":
                return hessian(g)(x)
            return x - jax.scipy.linalg.solve(hessian(g)(x), jax.grad(g)(x), assume_a="pos")
        compiled = jax.jit(result)
        return lambda: compiled(at, rest).block_until_ready()
    return {"jax.hessian": way(jax.hessian), "jax reverse over reverse": way(lambda g: jax.jacrev(jax.grad(g)))}


def torch_ways(problem, dims, inputs, folder):
    import torch
    import types
    torch.set_num_threads(1)
    lib = types.SimpleNamespace(softplus=torch.nn.functional.softplus, logsumexp=lambda x: torch.logsumexp(x, 0), exp=torch.exp)
    f, name = value_of(problem, lib)
    at = torch.from_numpy(inputs[name])
    rest = {k: torch.from_numpy(v) for k, v in inputs.items() if k != name}

    def g(x):
        return f(x, **rest)

    def finish(hessian):
        if problem != "newton":
            return lambda: hessian().detach().numpy()
        from torch.autograd.functional import jacobian
        return lambda: (at - torch.cholesky_solve(jacobian(g, at)[:, None], torch.linalg.cholesky(hessian()))[:, 0]).detach().numpy()
    hessian = torch.autograd.functional.hessian
    ways = {"torch row by row": finish(lambda: hessian(g, at)), "torch vectorize": finish(lambda: hessian(g, at, vectorize=True)),
            "torch forward over reverse": finish(lambda: hessian(g, at, vectorize=True, outer_jacobian_strategy="forward-mode"))}
    functions = getattr(torch, "func", None)
    try:
        import functorch as functions
    except ImportError:
        pass
    if functions:
        ways["torch.func"] = finish(lambda: functions.hessian(g)(at))
    return ways


WAYS = {"mxc": generated, "jax": jax_ways, "torch": torch_ways}


# ---- Processes that take turns ----

def seconds(compute, times):
    begin = time.perf_counter()
    for _ in range(times):
        compute()
    return (time.perf_counter() - begin) / times


def work(peer, problem, folder):
    """Computes once, says how, and from then on computes whenever a line comes."""
    import numpy as np
    dims, inputs = PROBLEMS[problem][0], dict(np.load(os.path.join(folder, "inputs.npz")))
    first, best = None, None
    for name, compute in WAYS[peer](problem, dims, inputs, folder).items():
        try:
            result = np.array(compute())
            taken = seconds(compute, 1)
        except Exception as error:  # a way that this version has not
            print(f"{peer}: {name}: {str(error).splitlines()[0][:100]}", file=sys.stderr)
            continue
        if first is None or taken < first:
            first, best, value = taken, (name, compute), result
    if best is None:
        raise SystemExit(f"{peer}: no way works")
    np.save(os.path.join(folder, peer + ".npy"), value)
    print(best[0], flush=True)
    times = max(1, int(LEAST_SECONDS / first))
    for _ in sys.stdin:
        print(seconds(best[1], times), flush=True)


def begin(python, peer, problem, folder):
    return subprocess.Popen([python, os.path.abspath(__file__), "--work", peer, problem, folder], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})


def turn(process):
    process.stdin.write("again\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def median(values):
    return sorted(values)[len(values) // 2]


def agree(folder, problem, peers):
    import numpy as np
    ours = np.load(os.path.join(folder, "mxc.npy"), allow_pickle=True)
    for peer in peers:
        theirs = np.load(os.path.join(folder, peer + ".npy"))
        gap = np.abs(ours - theirs).max() / np.abs(theirs).max() if ours.shape == theirs.shape else np.inf
        if not gap <= 1e-9:
            raise SystemExit(f"{problem}: {peer} differs by {gap:.2g}")


def run(problem, pythons, only=None):
    """Medians of seconds and the way, by peer."""
    import numpy as np
    with tempfile.TemporaryDirectory(prefix="mx-bench-") as folder:
        np.savez(os.path.join(folder, "inputs.npz"), **draw(problem, PROBLEMS[problem][0]))
        processes = {peer: begin(python, peer, problem, folder) for peer, python in pythons.items() if only in (None, peer)}
        ways = {peer: process.stdout.readline().strip() for peer, process in processes.items()}
        if not all(ways.values()):
            raise SystemExit(f"{problem}: no answer of {[p for p in ways if not ways[p]]}")
        if only is None:
            agree(folder, problem, [peer for peer in processes if peer != "mxc"])
        times = {peer: [] for peer in processes}
        for _ in range(TURNS):
            for peer, process in processes.items():
                times[peer].append(turn(process))
        for process in processes.values():
            process.stdin.close()
            process.wait()
    return {peer: median(values) for peer, values in times.items()}, ways


# ---- What bounds it ----

def copy_speed():
    """Bytes read and written a second, by a copy much larger than caches."""
    import numpy as np
    a = np.ones(2 ** 23)
    b = np.zeros_like(a)
    return 2 * a.nbytes / median([seconds(lambda: np.copyto(b, a), 1) for _ in range(9)])


def product_speed():
    """Flops a second of a large product of the runtime."""
    import numpy as np
    code, n = ctypes.CDLL(os.path.join(BUILD, "libmxrt.so")), 1024
    code.mx_gemm_f64_worksize.restype = ctypes.c_size_t
    size, step, pointer = ctypes.c_size_t(n), ctypes.c_ssize_t, ctypes.c_void_p
    area = np.zeros(code.mx_gemm_f64_worksize(size, size, size), dtype=np.uint8)
    a, b, c = (np.ones((n, n)) for _ in range(3))
    arrays = [x for m in (a, b) for x in (pointer(m.ctypes.data), step(n), step(1))]
    call = [size, size, size, ctypes.c_double(1), *arrays, ctypes.c_double(0), pointer(c.ctypes.data), step(n), step(1),
            pointer(area.ctypes.data)]
    return 2 * n ** 3 / median([seconds(lambda: code.mx_gemm_f64(*call), 1) for _ in range(9)])


def bound(problem, bandwidth, peak):
    """Least seconds, and by what."""
    facts, dims = facts_of(problem), PROBLEMS[problem][0]
    elements = 0
    for argument in facts["inputs"] + facts["outputs"]:
        count = 1
        for size in argument["shape"]:
            count *= number(size, dims)
        elements += count
    flops = number(facts["flops"].replace("^", "**"), dims) / peak
    moved = 8 * elements / bandwidth
    return (flops, "flops") if flops > moved else (moved, "bytes")


# ---- The table ----

def has(python, module):
    done = subprocess.run([python, "-c", f"import {module}; print({module}.__version__)"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, env={**os.environ, **ONE_THREAD})
    return done.stdout.strip() if done.returncode == 0 else None


def find_peers():
    pythons = {"mxc": sys.executable}
    for peer, python in (("torch", sys.executable), ("jax", os.environ.get("MX_BENCH_JAX", sys.executable))):
        version = has(python, peer)
        print(f"{peer}: {version or 'missing'}", flush=True)
        if version:
            pythons[peer] = python
    return pythons


def row(problem, pythons, bandwidth, peak):
    apart = problem in APART
    times, ways = run(problem, pythons, "mxc" if apart else None)
    least, by = bound(problem, bandwidth, peak)
    peers = {peer: t for peer, t in times.items() if peer != "mxc"}
    fastest = min(peers, key=peers.get) if peers else None
    ratio = peers[fastest] / times["mxc"] if peers else None
    cells = [f"{problem:<25}", f"{times['mxc'] * 1e3:10.3f}"]
    cells += [f"{times[p] * 1e3:10.3f}" if p in times else f"{'-':>10}" for p in ("torch", "jax")]
    cells += [f"{ratio:8.2f}" if ratio else f"{'-':>8}", f"{100 * least / times['mxc']:5.0f}% of {by}"]
    print("  ".join(cells), f" {ways[fastest]}" if fastest else "", flush=True)
    return ratio


def main():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    pythons, bandwidth, peak = find_peers(), copy_speed(), product_speed()
    print(f"one processor: a copy moves {bandwidth / 1e9:.1f} GB/s, a product makes {peak / 1e9:.1f} GFLOP/s\n")
    print(f"{'milliseconds':<25}{'mxc':>12}{'torch':>12}{'jax':>12}{'ratio':>10}  reached      against")
    wanted = sys.argv[1:] or PROBLEMS
    ratios = [row(p, pythons, bandwidth, peak) for p in wanted if p not in APART]
    ratios = [ratio for ratio in ratios if ratio]
    if ratios:
        product = 1.0
        for ratio in ratios:
            product *= ratio
        print(f"\nfaster than the faster peer, geometric mean: {product ** (1 / len(ratios)):.2f}")
    apart = [p for p in wanted if p in APART]
    print("\ncompressed forms:" if apart else "", flush=True)
    for problem in apart:
        row(problem, pythons, bandwidth, peak)


if sys.argv[1:2] == ["--work"]:
    work(*sys.argv[2:])
else:
    main()
