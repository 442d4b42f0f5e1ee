"""Indices that only the call can judge: MX_ERR_INDEX, and NaN in every output; nothing is read or written beside an array."""
import re

import numpy as np

from common import Library, mx, read, same

MX_OK, MX_ERR_INDEX = 0, 4
SIZE_MAX = 2**64 - 1

PROGRAM = """X: [m, n]
y: [n]
s: scalar
Y = X[a:b, :] * s
c = X[:, k]
e = y[-2]
f = sum(exp(Y)) + e * y[0] + dot(y[k:], y[k:])
output Y, c, e
grad f wrt X, y
jac c wrt X
hess e wrt y
vjp Y wrt X, s
"""
# m, n, a, b, k, and which of the groups of bounds hold: of Y (and of f), of c, of e
SIZES = [
    ((4, 3, 1, 3, 2), "Yce"), ((4, 3, 0, 4, 0), "Yce"), ((4, 3, 2, 2, 0), "Yce"), ((0, 2, 0, 0, 1), "Yce"),
    ((4, 3, 1, 5, 2), "ce"), ((4, 3, 3, 1, 2), "ce"), ((4, 3, 5, 5, 0), "ce"), ((4, 3, 1, 3, 3), "Ye"),
    ((4, 1, 1, 3, 0), "Yc"), ((4, 0, 0, 1, 0), "Y"), ((2, 2, 0, SIZE_MAX, 1), "ce"), ((2, 2, 0, 1, SIZE_MAX), "Ye"),
    ((2, 2, SIZE_MAX, 0, 1), "ce"),
]
NEEDS = {"eval": "Yce", "grad_f": "Yke", "jac_c": "c", "hess_e": "e", "vjp_Y": "Y"}


def holds(needs, sizes, groups):
    """k bounds f, too: y[k:] may be empty, so that k = n is right there."""
    n, k = sizes[1], sizes[4]
    return all(k <= n and n > 0 if need == "k" else need in groups for need in needs)


def inputs_of(library, dims):
    rng = np.random.default_rng(3)
    return {a["name"]: rng.standard_normal(mx.shape_of(a, dims)) for f in library.facts["functions"] for a in f["inputs"]
            if "a" not in str(a["shape"])} | {"u_Y": rng.standard_normal((max(dims["b"] - dims["a"], 0), dims["n"]))
                                              if dims["b"] - dims["a"] < 100 else np.zeros((0, dims["n"]))}


def bounds(tap, folder):
    library = Library(folder, PROGRAM, "bounds")
    for sizes, groups in SIZES:
        dims = dict(zip("mnabk", sizes))
        inputs = inputs_of(library, dims)
        for function, needs in NEEDS.items():
            about = library.functions[f"bounds_{function}"]
            if dims["b"] - dims["a"] > 100 and (
                    function in ("eval", "vjp_Y") or library.size("worksize", function, *[dims[d] for d in about["dims"]]) > 2**40):
                continue  # no array of that size
            good = holds(needs, sizes, groups)
            label = f"{function} {dims}"
            try:
                outputs, _ = library.call(function, dims, inputs, status=MX_OK if good else MX_ERR_INDEX)
                nan = all(np.all(np.isnan(value)) for value in outputs.values())
                finite = all(np.all(np.isfinite(value)) for value in outputs.values())
                tap.ok(finite if good else nan, f"{label}: {'values' if good else 'MX_ERR_INDEX and NaN'}", outputs)
            except mx.Failure as failure:
                tap.ok(False, label, failure)


def backward(tap, folder):
    """forward and backward of an abstract loss judge the same indices."""
    library = Library(folder, "X: [m, n]\nW: [n, p]\nY = tanh(X[k:, :] @ W)\ngrad L wrt X, W\n", "slice")
    for m, k, good in ((4, 1, True), (4, 4, True), (4, 5, False)):
        dims = {"m": m, "n": 3, "p": 2, "k": k}
        rng = np.random.default_rng(5)
        inputs = {"X": rng.standard_normal((m, 3)), "W": rng.standard_normal((3, 2)), "dL_dY": rng.standard_normal((max(m - k, 0), 2))}
        result = MX_OK if good else MX_ERR_INDEX
        try:
            values, saved = library.call("forward", dims, inputs, status=result)
            gradients, _ = library.call("backward", dims, inputs, saved=saved, status=result)
            wrong = [name for name, value in gradients.items() if np.all(np.isnan(value)) == good]
            tap.ok(not wrong, f"forward and backward, m={m} k={k}: {'values' if good else 'NaN'}", wrong)
        except mx.Failure as failure:
            tap.ok(False, f"forward and backward, m={m} k={k}", failure)


def only_where_needed(tap, folder):
    """Bounds that always hold are not checked; others only by functions whose values they concern."""
    library = Library(folder, "dim n = 4\nx: [n]\nz: [p]\na = sum(x[1:3]) * x[-1]\nb = z[2]\noutput a, b\ngrad a wrt x\ngrad b wrt z\n", "some")
    text = read(folder, "some.c")
    same(tap, "bounds of fixed sizes are not checked", re.findall(r"int some_(\w+)_fail", text), ["eval", "grad_b"])
    same(tap, "a bound is said once", re.findall(r"if \((.*)\)\n", text), ["p < 3", "p < 3"])
    outputs, _ = library.call("eval", {"p": 3}, {"x": np.arange(4.0), "z": np.arange(3.0)})
    same(tap, "values", {k: float(v) for k, v in outputs.items()}, {"a": 9.0, "b": 2.0})


def in_parts(tap, folder):
    """A function that is written in parts checks before the first."""
    lines = ["x: [n]", "t0 = sin(x[1:])"] + [f"t{i} = sin(t{i - 1}) + 0.1 * sum(t{i - 1}) * x[0]" for i in range(1, 120)]
    library = Library(folder, "\n".join(lines) + "\nf = sum(t119)\ngrad f wrt x\n", "deep")
    same(tap, "it is in parts", "deep_grad_f_part1" in read(folder, "deep.c"), True)
    good, _ = library.call("grad_f", {"n": 4}, {"x": np.ones(4)})
    bad, _ = library.call("grad_f", {"n": 0}, {"x": np.ones(0)}, status=MX_ERR_INDEX)
    same(tap, "a good call", bool(np.all(np.isfinite(good["df_dx"]))), True)
    same(tap, "a bad one", bool(np.isnan(bad["f"])), True)


CASES = [bounds, backward, only_where_needed, in_parts]
