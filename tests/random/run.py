#!/usr/bin/python3
"""Random well-shaped programs (program.py), compiled and called, against PyTorch in double: every value, every gradient.

    run.py                                the fixed seeds
    run.py --seed S --count N [--size Z]  N programs from seed S on, of size Z (1 to 6; default: it varies with the seed)
    run.py --seed S --count 1 --show      prints the program instead of running it

Each program is also compiled twice (the C must be the same) and called twice in one process (the bits must be the same).
Where PyTorch and the generated code disagree by more than rounding, PyTorch is asked again with inputs that differ in the
last bits: what moves the answer that much is no error of either."""
import argparse
import os
import random
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.dont_write_bytecode = True
import mx
from program import Program

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
TOLERANCE, NOTHING = 1e-10, 1e-13
BUILDS = (("gcc", tuple(mx.SANITIZE)), ("clang", ("-O2",)))
FIXED_SEED, FIXED_COUNT = 1, 60
TRIALS = 3  # choices of the open sizes for each program


# ---- The language's functions in PyTorch ------------------------------------------------------------------------------

class Reductions:
    """Those that may give an infinity or NaN: they remember whether they did, because they had nothing to go over."""

    def __init__(self):
        self.over_nothing = False

    def count(self, x, axis):
        count = int(np.prod(x.shape, dtype=int)) if axis is None else x.shape[axis]
        self.over_nothing |= count == 0
        return count

    def mean(self, x, axis=None, keepdims=False):
        count = self.count(x, axis)
        return sum_(x, axis, keepdims) * (1 / count if count else np.inf)

    def max(self, x, axis=None, keepdims=False):
        if self.count(x, axis) == 0:
            return sum_(x, axis, keepdims) - np.inf
        return x.max() if axis is None else x.max(axis, keepdim=keepdims).values

    def logsumexp(self, x, axis=None, keepdims=False):
        self.count(x, axis)
        over = tuple(range(x.dim())) if axis is None else axis
        return torch.logsumexp(x, over, keepdim=keepdims) if x.dim() else x.clone()

    def norm(self, x, p=2):
        x = abs(x)
        return (x * x).sum().sqrt() if p == 2 else x.sum() if p == 1 else self.max(x)


def sum_(x, axis=None, keepdims=False):
    return x.sum() if axis is None else x.sum(axis, keepdim=keepdims)


def along(function):
    return lambda x, axis=-1: function(x, axis)


def vjp(y, x, u):
    if not (y.requires_grad and x.requires_grad):
        return torch.zeros_like(x)
    found = torch.autograd.grad(y, x, u, create_graph=True, allow_unused=True)[0]
    return torch.zeros_like(x) if found is None else found


def grad(f, x):
    return vjp(f, x, torch.ones_like(f))


def jvp(y, x, v):
    """Linear in u is (dy/dx)' u, so that its own transposed Jacobian is dy/dx."""
    u = torch.zeros_like(y, requires_grad=True)
    return vjp(vjp(y, x, u), u, v)


def jac(y, x):
    return torch.stack([vjp(y, x, unit.reshape(y.shape)) for unit in torch.eye(y.numel())]) if y.numel() else \
        torch.zeros(y.shape + x.shape)


def hess(f, x):
    return jac(grad(f, x), x)


LANGUAGE = dict(
    grad=grad, jac=jac, hess=hess, jvp=jvp, vjp=vjp,
    sum_=sum_, sumsq=lambda x: (x * x).sum(),
    softmax_=along(torch.softmax), log_softmax_=along(torch.log_softmax), inf=np.inf, number=lambda x: torch.tensor(float(x)),
    exp=torch.exp, log=torch.log, sqrt=torch.sqrt, tanh=torch.tanh, sigmoid=torch.sigmoid, sin=torch.sin, cos=torch.cos,
    softplus=lambda x: torch.logaddexp(x, torch.zeros_like(x)), relu=torch.relu, abs=torch.abs, square=lambda x: x * x,
    reciprocal=lambda x: 1 / x, hadamard=lambda a, b: a * b, dot=lambda a, b: (a * b).sum(), inner=lambda a, b: (a * b).sum(),
    outer=lambda a, b: a[:, None] * b[None, :], diag=torch.diag, torch=torch,
    transposed=lambda x: x.T if x.dim() == 2 else x)


def oracle(program, inputs, dims):
    """The tensors of the inputs and of every value, and whether something was reduced that is empty."""
    tensors = {i.name: torch.tensor(inputs[i.name], requires_grad=True) for i in program.inputs}
    values, reductions = {}, Reductions()
    scope = dict(LANGUAGE, **dims, x_=tensors, v_=values, mean_=reductions.mean, max_=reductions.max,
                 logsumexp_=reductions.logsumexp, norm=reductions.norm)
    for name, text in program.torch_lines:
        value = eval(text, scope)  # a tensor of its own, that may be differentiated by
        values[name] = value.clone() if value.requires_grad else value.clone().requires_grad_()
    return tensors, values, reductions.over_nothing


def gradients(outputs, seeds, variables):
    pairs = [(o, s) for o, s in zip(outputs, seeds) if o.requires_grad]
    if not pairs:
        return [torch.zeros_like(v) for v in variables]
    found = torch.autograd.grad([o for o, _ in pairs], variables, [s for _, s in pairs], retain_graph=True, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, variables)]


# ---- One function ----------------------------------------------------------------------------------------------------

def expected_outputs(functions, index, tensors, values, inputs):
    function, outputs, seeds, loss = functions[index], [], [], None
    if function["kind"] == "backward":
        outputs = [o["name"] for o in functions[index - 1]["outputs"]]
        seeds = [torch.tensor(inputs["dL_d" + o]) for o in outputs if "dL_d" + o in inputs]
        outputs = [values[o] for o in outputs if "dL_d" + o in inputs]
        loss = "L"
    elif function["kind"] != "forward":
        loss = next(o["name"] for o in function["outputs"] if o["name"] in values)
        outputs, seeds = [values[loss]], [torch.ones(())]
    derivatives = {f"d{loss}_d{name}": tensor for name, tensor in tensors.items()}
    asked = [o["name"] for o in function["outputs"] if o["name"] not in values]
    found = gradients(outputs, seeds, [derivatives[name] for name in asked]) if asked else []
    expected = {o["name"]: values[o["name"]] for o in function["outputs"] if o["name"] in values}
    expected.update(zip(asked, found))
    return {name: value.detach().numpy() for name, value in expected.items()}


def draw(program, facts, dims, rng):
    inputs = {}
    for function in facts["functions"]:
        for argument in function["inputs"]:
            if argument["name"] not in inputs:
                inputs[argument["name"]] = rng.standard_normal(mx.shape_of(argument, dims))
    scope = {"__builtins__": {}}
    for i in program.inputs:
        shape = tuple(eval(d, scope, dict(dims)) for d in i.type[1:])
        inputs.setdefault(i.name, rng.standard_normal(shape))
    return {name: np.asarray(value) for name, value in inputs.items()}


def noise(program, functions, index, name, inputs, dims, expected):
    """How far the oracle's own answer moves when the inputs do by a few units in the last place."""
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(4):
        moved = {key: value * (1 + 1e-15 * rng.standard_normal(value.shape)) for key, value in inputs.items()}
        again = expected_outputs(functions, index, *oracle(program, moved, dims)[:2], moved)[name]
        with np.errstate(invalid="ignore"):
            gap = np.abs(again - expected)
        worst = max(worst, np.max(gap[np.isfinite(gap)], initial=0.0))
    return worst


def disagreement(program, functions, index, got, inputs, dims, tensors, values, over_nothing):
    """What is wrong with the outputs of one call, as text."""
    expected = expected_outputs(functions, index, tensors, values, inputs)
    for name, value in expected.items():
        result = got[name]
        if over_nothing and result.shape == value.shape:
            # Infinities: where 0 * inf stands, and so NaN, depends on the order of the products.
            result = np.where(np.isnan(value) | np.isnan(result), value, result)
        gap, where = mx.difference(result, value)
        if gap <= TOLERANCE:
            continue
        largest = np.max(np.abs(value[np.isfinite(value)]), initial=0.0)
        slack = NOTHING + 1e3 * noise(program, functions, index, name, inputs, dims, value)
        if not gap * max(largest, 1e-300) <= slack:
            return f"{functions[index]['name']}: {name} is off by {gap:.3g} {where}"
    return ""


# ---- One program -----------------------------------------------------------------------------------------------------

class Built:
    """A program's module, and its executables; all share the driver, one object for each set of flags."""

    def __init__(self, drivers, folder, source):
        self.module = mx.Module(folder, source, name="random")
        self.programs = []
        for compiler, flags in BUILDS:
            base = os.path.join(folder, compiler)
            mx.run([compiler, *mx.STRICT, *flags, *mx.TILED, "-I", os.path.join(mx.ROOT, "runtime"), "-c", self.module.c, "-o", base + ".o"])
            mx.run([compiler, *flags, *drivers[compiler], base + ".o", os.path.join(mx.BUILD, "libmxrt.a"), "-lm", "-o", base])
            self.programs.append(base)


def build_drivers(folder):
    """What calls the modules, and what calls them back with small pieces of products, for each compiler."""
    drivers = {}
    for compiler, flags in BUILDS:
        drivers[compiler] = []
        for source in (mx.DRIVER, mx.TILES):
            path = os.path.join(folder, f"{compiler}_{os.path.basename(source)}.o")
            mx.run([compiler, "-std=c99", *flags, "-I", os.path.join(mx.ROOT, "runtime"), "-DMODULE=random_module", "-c",
                    source, "-o", path])
            drivers[compiler].append(path)
    return drivers


def other_c(module):
    """What differs between the C of this compilation and that of one more, as text."""
    with open(module.c) as file:
        once = file.read()
    mx.run([mx.MXC, "-Wno-abstract-loss", "--reflect", "-o", module.c, module.path])
    with open(module.c) as file:
        return "" if file.read() == once else "a second compilation gives other C"


def other_bits(first, second):
    for a, b in zip(first, second):
        for name in a:
            if a[name].tobytes() != b[name].tobytes():
                return f"a second call gives other bits of {name}"
    return ""


def trial(program, built, dims, rng):
    functions = built.module.facts["functions"]
    inputs = draw(program, built.module.facts, dims, rng)
    truth = oracle(program, inputs, dims)
    calls = [f["name"] for f in functions]
    for executable in built.programs:
        results = built.module.call(executable, calls * 2, dims, inputs)
        for index in range(len(functions)):
            wrong = disagreement(program, functions, index, results[index], inputs, dims, *truth)
            if wrong:
                return f"{os.path.basename(executable)} {dims}: {wrong}"
        wrong = other_bits(results[:len(calls)], results[len(calls):])
        if wrong:
            return f"{os.path.basename(executable)} {dims}: {wrong}"
    return ""


def trials(program, seed, built, rng):
    wrong = other_c(built.module)
    for number in range(TRIALS):
        wrong = wrong or trial(program, built, program.sizes(rng), np.random.default_rng(seed * TRIALS + number))
    return wrong


def program_of(seed, size):
    rng = random.Random(seed)
    return Program(rng, size or 1 + seed % 3), rng


def run_seed(drivers, seed, size):
    """What is wrong with the program of this seed, or ""."""
    program, rng = program_of(seed, size)
    try:
        with mx.workspace() as folder:
            wrong = trials(program, seed, Built(drivers, folder, program.source()), rng)
            return wrong and f"{wrong}\n{program.source()}"
    except mx.Failure as failure:
        return f"{str(failure)[:4000]}\n{program.source()}"
    except Exception:
        return f"{traceback.format_exc()}\n{program.source()}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=FIXED_SEED)
    options.add_argument("--count", type=int, default=FIXED_COUNT)
    options.add_argument("--size", type=int, default=0)
    options.add_argument("--show", action="store_true")
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    if given.show:
        print("\n".join(program_of(seed, given.size)[0].source() for seed in seeds))
        return
    tap = mx.Tap()
    print(f"# seeds {seeds.start} to {seeds.stop - 1}", flush=True)
    with mx.workspace() as folder, ThreadPoolExecutor(given.jobs) as pool:
        drivers = build_drivers(folder)
        for seed, wrong in zip(seeds, pool.map(lambda s: run_seed(drivers, s, given.size), seeds)):
            tap.ok(not wrong, f"the program of seed {seed}", wrong)
    tap.done()


main()
