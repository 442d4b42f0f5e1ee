"""Derivatives by one element: index arguments, their bounds, and what they cost."""
import re

import numpy as np

from common import Library, mx, near, read, same

PROGRAM = "X: [m, k]; W: [k, n]; w: [k]\nY = X @ W\ny = tanh(X @ w)\njac Y wrt W[i, j], W[0, 1]\njac y wrt w[i], W[1, 1]\n"
MX_ERR_INDEX = 4
DIMS = {"m": 4, "k": 3, "n": 2}


def drawn(seed=1):
    rng = np.random.default_rng(seed)
    return {"X": rng.standard_normal((4, 3)), "W": rng.standard_normal((3, 2)), "w": rng.standard_normal(3)}


def column(X, i, j):
    """X E_ij: column j is column i of X."""
    result = np.zeros((X.shape[0], 2))
    result[:, j] = X[:, i]
    return result


def values(tap, folder):
    library = Library(folder, PROGRAM, "elements")
    inputs = drawn()
    facts = library.functions["elements_jac_Y"]
    same(tap, "jac Y wrt W[i, j]: indices", facts["indices"], ["i", "j"])
    for i in range(3):
        for j in range(2):
            got, _ = library.call("jac_Y", {**DIMS, "i": i, "j": j}, inputs)
            near(tap, f"dY/dW[{i}, {j}] = X E_ij", got["dY_dW_i_j"], column(inputs["X"], i, j), 0)
            near(tap, f"dY/dW[0, 1] beside [{i}, {j}]", got["dY_dW_0_1"], column(inputs["X"], 0, 1), 0)
        got, _ = library.call("jac_y", {**DIMS, "i": i}, inputs)
        slope = 1 - np.tanh(inputs["X"] @ inputs["w"]) ** 2
        near(tap, f"dy/dw[{i}]", got["dy_dw_i"], slope * inputs["X"][:, i])
        near(tap, "dy/dW[1, 1], which y does not depend on", got["dy_dW_1_1"], np.zeros(4), 0)


def outside(tap, folder):
    library = Library(folder, PROGRAM, "elements")
    for i, j in ((3, 0), (0, 2), (2**64 - 1, 0), (0, 2**64 - 1), (2**63, 2**63)):
        got, _ = library.call("jac_Y", {**DIMS, "i": i, "j": j}, drawn(), status=MX_ERR_INDEX)
        tap.ok(all(np.isnan(value).all() for value in got.values()), f"[{i}, {j}] is outside: every output is NaN")
    small = {name: value[:, :1] if name == "W" else value for name, value in drawn().items()}
    got, _ = library.call("jac_Y", {**DIMS, "n": 1, "i": 0, "j": 0}, small, status=MX_ERR_INDEX)
    tap.ok(all(np.isnan(value).all() for value in got.values()), "[0, 1] is outside of one column")
    header = read(folder, "elements.h")
    tap.ok("MX_ERR_INDEX, and NaN in every output, if k <= i, or n <= j, or k < 1, or n < 2" in header,
           "the header says what is outside", header)


def cost(tap, folder):
    """A column is copied: no product but that of Y, and no loop over the rows of W."""
    library = Library(folder, "X: [m, k]; W: [k, n]\nY = X @ W\njac Y wrt W[i, j]\n", "one")
    code = read(folder, "one.c")
    same(tap, "one product", len(re.findall(r"mx_gemm_f64\(", code)), 1)
    flops = library.functions["one_jac_Y"]["flops"]
    sizes = {"m": 1000, "k": 1000, "n": 1000}
    extra = eval(flops, {}, sizes) - 2 * 1000**3
    tap.ok(extra <= 4 * 1000**2, "beside the value, no more operations than elements", f"{flops}: {extra}")


CASES = [values, outside, cost]
