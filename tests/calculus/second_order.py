#!/usr/bin/python3
"""Hessians, their products with directions and third derivatives of the functions that people optimise.

Each function is differentiated by PyTorch in double and by mxc: value, gradient and every block of the Hessian must agree;
the Hessian's product with a direction must be that product of the Hessian; and it must cost at most four times what the
gradient does, whatever the sizes (A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., 4.6). Third derivatives are
judged by PyTorch and by nested differences of the formula itself in extended precision. Tensors that are given by their
factors are put together again as their layout says."""
import itertools
import os
import re
import sys
import zlib

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

torch.set_default_dtype(torch.float64)
EXTREMES = (1, 3, 30, 1000)  # of every dimension, for the flops

# name: (declarations and formula, variables, sizes to run at, the formula in PyTorch)
FUNCTIONS = {
    "quadratic": ("A: [n, n]; x: [n]; f = x' @ A @ x", "x", ("n=5", "n=1"), lambda A, x: x @ A @ x),
    "least_squares": ("A: [m, n]; x: [n]; b: [m]; f = norm(A @ x - b)^2", "x", ("m=6 n=4", "m=1 n=1", "m=0 n=2"),
                      lambda A, x, b: ((A @ x - b) ** 2).sum()),
    "logistic": ("X: [m, n]; y: [m]; w: [n]; c: scalar; f = sum(softplus(-y * (X @ w))) / m + c/2 * dot(w, w)", "w",
                 ("m=7 n=3", "m=1 n=1"),
                 lambda X, y, w, c: torch.nn.functional.softplus(-y * (X @ w)).sum() / len(y) + c / 2 * (w @ w)),
    "logsumexp": ("A: [m, n]; x: [n]; b: [m]; f = logsumexp(A @ x + b)", "x", ("m=5 n=4", "m=1 n=1"),
                  lambda A, x, b: torch.logsumexp(A @ x + b, 0)),
    "factorisation": ("T: [m, n]; U: [m, k]; V: [n, k]; f = norm(T - U @ V')^2", "U, V", ("m=4 n=3 k=2", "m=1 n=1 k=1"),
                      lambda T, U, V: ((T - U @ V.T) ** 2).sum()),
    "first_layer": ("X: [m, n]; W1: [n, k]; b1: [k]; W2: [k, p]; b2: [p]; T: [m, p]; "
                    "f = sumsq(tanh(X @ W1 + b1) @ W2 + b2 - T) / m", "W1", ("m=5 n=3 k=4 p=2", "m=1 n=1 k=1 p=1"),
                    lambda X, W1, b1, W2, b2, T: ((torch.tanh(X @ W1 + b1) @ W2 + b2 - T) ** 2).sum() / len(X)),
    "network": ("X: [m, n]; W1: [n, k]; b1: [k]; W2: [k, p]; b2: [p]; T: [m, p]; "
                "f = sumsq(tanh(X @ W1 + b1) @ W2 + b2 - T) / m", "W1, b1, W2, b2", ("m=3 n=2 k=3 p=2",),
                lambda X, W1, b1, W2, b2, T: ((torch.tanh(X @ W1 + b1) @ W2 + b2 - T) ** 2).sum() / len(X)),
    "norm": ("A: [m, n]; x: [n]; b: [m]; f = norm(A @ x - b)", "x", ("m=6 n=4", "m=1 n=1"),
             lambda A, x, b: torch.linalg.norm(A @ x - b)),
    "norm_of_x": ("x: [n]; f = norm(x)", "x", ("n=4", "n=1"), lambda x: torch.linalg.norm(x)),
    "cross_entropy": ("X: [m, n]; W: [n, k]; b: [k]; T: [m, k]; f = -inner(T, log_softmax(X @ W + b, axis=1)) / m", "W, b",
                      ("m=4 n=3 k=3", "m=1 n=1 k=1"),
                      lambda X, W, b, T: -(T * torch.log_softmax(X @ W + b, 1)).sum() / len(X)),
    "log_of_softmax": ("X: [m, n]; W: [n, k]; T: [m, k]; f = -inner(T, log(softmax(X @ W, axis=1))) / m", "W",
                       ("m=4 n=3 k=3",), lambda X, W, T: -(T * torch.log(torch.softmax(X @ W, 1))).sum() / len(X)),
}

# name: (declarations and formula, variable, sizes, the formula in PyTorch and in NumPy)
THIRD = {
    "logsumexp": ("A: [m, n]; x: [n]; f = logsumexp(A @ x)", "m=5 n=4", lambda A, x: torch.logsumexp(A @ x, 0),
                  lambda A, x: np.log(np.exp(A @ x).sum())),
    "network": ("A: [m, n]; B: [m, m]; x: [n]; f = sum(tanh(B @ tanh(A @ x))^2)", "m=3 n=4",
                lambda A, B, x: (torch.tanh(B @ torch.tanh(A @ x)) ** 2).sum(),
                lambda A, B, x: (np.tanh(B @ np.tanh(A @ x)) ** 2).sum()),
    "quotient": ("A: [n, n]; x: [n]; f = x' @ A @ x / norm(x)", "n=5", lambda A, x: x @ A @ x / torch.linalg.norm(x),
                 lambda A, x: x @ A @ x / np.sqrt((x * x).sum())),
}

# name: (program, request, sizes, structure of each tensor)
COMPRESSED = {
    "factors": (FUNCTIONS["factorisation"][0], "hess f wrt U, V", "m=4 n=3 k=2",
                ("block-diagonal", "block-diagonal plus a Kronecker product", "block-diagonal")),
    "affine": ("X: [m, n]; W: [n, k]; b: [k]; Y = X @ W + b", "jac Y wrt X, W, b", "m=4 n=3 k=2", ("block-diagonal",) * 3),
    "sandwich": ("A: [m, n]; X: [n, k]; B: [k, p]; Y = 3 * A @ X @ B", "jac Y wrt X", "m=4 n=3 k=2 p=5",
                 ("a Kronecker product",)),
    "elementwise": ("X: [m, n]; Y = sin(X) * exp(X)", "jac Y wrt X", "m=2 n=3", ("diagonal",)),
    "entropy": ("x: [n]; f = sum(exp(x) * x)", "hess f wrt x", "n=4", ("diagonal",)),
    "logsumexp": ("x: [n]; f = logsumexp(x)", "hess f wrt x", "n=4", ("diagonal plus a matrix of rank 1",)),
    "ridge": ("X: [m, n]; x: [n]; f = sum(softplus(X @ x)) + dot(x, x) / 4", "hess f wrt x", "m=2 n=5",
              ("diagonal plus a matrix of rank at most m",)),
    "norm": ("x: [n]; f = norm(x)", "hess f wrt x", "n=4", ("diagonal plus a matrix of rank 1",)),
    "softmax": ("S: [m, n]; T: [m, n]; f = -inner(T, log_softmax(S, axis=1))", "hess f wrt S, T", "m=3 n=4",
                ("block-diagonal", "block-diagonal", "zero")),
    "outer": ("x: [m]; y: [n]; Y = outer(x, y)", "jac Y wrt x, y", "m=3 n=4", ("block-diagonal", "block-diagonal")),
    "square_of_sum": ("x: [n]; f = sum(x)^2 * 3", "hess f wrt x", "n=4", ("of rank 1",)),
    "diagonal": ("x: [n]; Y = diag(x^2)", "jac Y wrt x", "n=3", ("block-diagonal",)),
    "column": ("X: [m, n]; c: [m, 1]; Y = X * c", "jac Y wrt c, X", "m=3 n=4", ("block-diagonal", "diagonal")),
    "quadratic": ("A: [n, n]; x: [n]; f = x' @ A @ x", "hess f wrt x", "n=4", ("dense",)),
}


def compiled(folder, name, declarations, requests):
    return mx.Module(folder, "\n".join(declarations.split("; ") + requests) + "\n", name=name)


def sizes_of(text):
    return {part.split("=")[0]: int(part.split("=")[1]) for part in text.split()}


def draw(module, dims, rng):
    inputs = {}
    for function in module.facts["functions"]:
        for argument in function["inputs"]:
            inputs.setdefault(argument["name"], np.asarray(rng.standard_normal(mx.shape_of(argument, dims))))
    return inputs


def tensors(declarations, inputs):
    names = [part.split(":")[0] for part in declarations.split("; ") if ":" in part]
    return {name: torch.tensor(inputs[name]) for name in names if name in inputs}


def check_flops(tap, name, module):
    count = {f["kind"]: f["flops"] for f in module.facts["functions"]}
    dims = sorted({d for f in module.facts["functions"] for d in f["dims"]})
    worst, where = max((eval(count["hvp"], {}, dict(zip(dims, at))) / eval(count["grad"], {}, dict(zip(dims, at))), at)
                       for at in itertools.product(EXTREMES, repeat=len(dims)))
    tap.ok(worst <= 4, f"{name}: the product with the Hessian costs at most 4 gradients",
           f"{worst:.2f} at {dict(zip(dims, where))}\ngrad {count['grad']}\nhvp {count['hvp']}")


def check_hessian(tap, label, got, value, variables):
    """Every block, once, against PyTorch."""
    expected = torch.autograd.functional.hessian(value, tuple(variables.values()))
    names = list(variables)
    for i, k in itertools.combinations_with_replacement(range(len(names)), 2):
        block = got[f"d2f_d{names[i]}_d{names[k]}"]
        gap, where = mx.difference(block, expected[i][k].numpy())
        tap.ok(gap <= 1e-9, f"{label}: d2f_d{names[i]}_d{names[k]} as PyTorch says", f"off by {gap:.3g} {where}")


def check_product(tap, label, hess, hvp, inputs, names):
    """hvp is the Hessian times v: block i, k times v_k, or the transposed block k, i."""
    for i, name in enumerate(names):
        total = 0
        for k, other in enumerate(names):
            v, rank = inputs[f"v_{other}"], inputs[name].ndim
            if i <= k:
                total = total + np.tensordot(hess[f"d2f_d{name}_d{other}"], v, axes=v.ndim)
            else:
                block = hess[f"d2f_d{other}_d{name}"]
                total = total + np.tensordot(v, block, axes=v.ndim)
            assert np.ndim(total) == rank
        gap, where = mx.difference(hvp[f"hvp_{name}"], total)
        tap.ok(gap <= 1e-11, f"{label}: hvp_{name} is the Hessian times v", f"off by {gap:.3g} {where}")


def run_function(tap, folder, name, declarations, wrt, sizes, formula):
    module = compiled(folder, name, declarations, [f"{kind} f wrt {wrt}" for kind in ("grad", "hess", "hvp")])
    program = module.build("gcc", tuple(mx.SANITIZE))
    names = wrt.split(", ")
    check_flops(tap, name, module)
    for text in sizes:
        dims, label = sizes_of(text), f"{name} {text}"
        inputs = draw(module, dims, np.random.default_rng(zlib.crc32(label.encode())))
        for variable in names:  # a linear function does not read it
            inputs.setdefault(variable, np.ones(mx.shape_of(
                next(o for f in module.facts["functions"] for o in f["outputs"] if o["name"] == f"df_d{variable}"), dims)))
        hess, hvp = module.call(program, [f"{name}_hess_f", f"{name}_hvp_f"], dims, inputs)
        given = tensors(declarations, inputs)
        value = lambda *v: formula(**{**given, **dict(zip(names, v))})
        check_hessian(tap, label, hess, value, {n: given[n] for n in names})
        check_product(tap, label, hess, hvp, inputs, names)


def third_difference(formula, given, v, h):
    """d3/dt3 f(x + t v) at 0 from seven values, by the central formula of fourth order, in extended precision."""
    weights = {1: -13 / 8, 2: 1, 3: -1 / 8}
    exact = {name: value.astype(np.longdouble) for name, value in given.items()}
    h, total = np.longdouble(h), np.longdouble(0)
    for k, weight in weights.items():
        for sign in (1, -1):
            moved = {**exact, "x": exact["x"] + sign * k * h * v.astype(np.longdouble)}
            total += sign * np.longdouble(weight) * formula(**moved)
    return float(total / h ** 3)


def run_third(tap, folder, name, declarations, size, formula, exact):
    module = compiled(folder, f"third_{name}", declarations + "; v: [n]", [
        "T = jac(hess(f, x) @ v, x)", "s = v' @ T @ v", "g = grad(v' @ hess(f, x) @ v, x)", "output f, T, s, g"])
    dims = sizes_of(size)
    inputs = draw(module, dims, np.random.default_rng(zlib.crc32(name.encode())))
    got = module.call(module.build("gcc", tuple(mx.SANITIZE)), [f"third_{name}_eval"], dims, inputs)[0]
    given = tensors(declarations, inputs)
    v = torch.tensor(inputs["v"])
    value = lambda x: formula(**{**given, "x": x})
    along = lambda x: torch.autograd.functional.hessian(value, x, create_graph=True) @ v
    expected = torch.autograd.functional.jacobian(along, given["x"]).numpy()
    for output, right in (("T", expected), ("g", expected @ inputs["v"])):
        gap, where = mx.difference(got[output], right)
        tap.ok(gap <= 1e-9, f"third derivative of {name}: {output} as PyTorch says", f"off by {gap:.3g} {where}")
    arrays = {n: t.numpy() for n, t in given.items()}
    slope = third_difference(exact, arrays, inputs["v"], 1e-3)
    tap.ok(abs(slope - got["s"]) <= 1e-6 * max(abs(slope), 1), f"third derivative of {name} as differences say",
           f"exact {got['s']!r}, differences {slope!r}")


def put_together(layout, factors, shape):
    """The tensor that a layout says, from its factors: 'T[i, j] = delta(i, j) * F[i] - sum(k) G[i, k] * H[j, k]'."""
    axes, text = re.fullmatch(r"\w+\[(.*?)\] = ?(.*)", layout).groups()
    axes = axes.split(", ")
    named = [a for a in axes if a != "0"]
    size = dict(zip(axes, shape))
    total = np.zeros([size[a] for a in named])
    for sign, term in re.findall(r"(-|\+|^) ?((?:(?! [-+] ).)+)", text):
        operands, letters = [], []
        for name, inside in re.findall(r"(?:\* |^|\) )(\w+)(?:\[(.*?)\])?(?= |$)", re.sub(r"delta\(.*?\) \* ", "", term)):
            operands.append(factors[name])
            letters.append(inside.replace(", ", ""))
        for p, q in re.findall(r"delta\((\w), (\w)\)", term):
            operands.append(np.eye(size[p]))
            letters.append(p + q)
        missing = [a for a in named if not any(a in l for l in letters)]
        operands += [np.ones(size[a]) for a in missing]
        total = total + (-1 if sign == "-" else 1) * np.einsum(",".join(letters + missing) + "->" + "".join(named), *operands)
    return total.reshape(shape)


def run_compressed(tap, folder, name, program, request, sizes, structures):
    module = compiled(folder, f"compressed_{name}", program, [f"{request} as whole", f"{request} compressed as small"])
    dims = sizes_of(sizes)
    inputs = draw(module, dims, np.random.default_rng(zlib.crc32(name.encode())))
    whole, small = module.call(module.build("gcc", tuple(mx.SANITIZE)), ["whole", "small"], dims, inputs)
    facts = module.functions()["small"].get("tensors", [])
    tap.ok(tuple(t["structure"] for t in facts) == structures, f"{name}: structure", f"got {facts}")
    for tensor in facts:
        full = whole[tensor["name"]]
        if "layout" in tensor:
            got = put_together(tensor["layout"], small, full.shape)
            parts = re.findall(rf"\b{tensor['name']}\w*", tensor["layout"].split(" = ")[1])
            elements = sum(small[part].size for part in set(parts))
            tap.ok(elements < full.size, f"{name}: {tensor['name']} is smaller", f"{elements}, whole {full.size}")
        else:
            got = small[tensor["name"]]
        gap, where = mx.difference(got, full)
        tap.ok(gap <= 1e-13, f"{name}: {tensor['layout'] if 'layout' in tensor else 'whole'}", f"off by {gap:.3g} {where}")


def main():
    tap, only = mx.Tap(), sys.argv[1:]
    with mx.workspace() as folder:
        for name, case in FUNCTIONS.items():
            if not only or name in only:
                run_function(tap, folder, name, *case)
        for name, case in THIRD.items():
            if not only or name in only:
                run_third(tap, folder, name, *case)
        for name, case in COMPRESSED.items():
            if not only or name in only:
                run_compressed(tap, folder, name, *case)
    tap.done()


main()
