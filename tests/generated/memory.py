"""What the caller passes besides values: sizes of zero, workspaces, what is saved."""
import itertools
import re

import numpy as np

from common import AFFINE, SIZE_MAX, Library, calculus, generate, mx, near, read, same

MLP = """X: [m, n]
W: [n, p]
b: [p]
V: [p, k]
c: [k]
H = {activation}(X @ W + b)
Y = H @ V + c
grad L wrt {wrt}
"""
EVERYTHING = "X, W, b, V, c"


def padded(elements, size=8):
    """Bytes of an area that holds one array and may begin anywhere."""
    return (elements * size + 63) // 64 * 64 + 63


def affine_numbers(inputs):
    Z, W, b, dA = (np.asarray(inputs[k], dtype=float) for k in ("Z", "W", "b", "dL_dA"))
    return {"A": Z @ W + b, "dL_dW": Z.T @ dA, "dL_dZ": dA @ W.T, "dL_db": dA.sum(axis=0)}


def mlp_numbers(inputs):
    X, W, b, V, c, dY = (inputs[k] for k in ("X", "W", "b", "V", "c", "dL_dY"))
    H = np.maximum(X @ W + b, 0)
    dH = (dY @ V.T) * (H > 0)
    return {"Y": H @ V + c, "dL_dX": dH @ W.T, "dL_dW": X.T @ dH, "dL_db": dH.sum(axis=0), "dL_dV": H.T @ dY,
            "dL_dc": dY.sum(axis=0)}


def random_inputs(library, dims, seed=1):
    rng = np.random.default_rng(seed)
    return {a["name"]: rng.standard_normal(mx.shape_of(a, dims)) for f in library.facts["functions"] for a in f["inputs"]}


def compare(tap, label, got, expected, tolerance=1e-12):
    same(tap, f"{label}: every output is compared", set(got), set(expected))
    worst = {name: mx.difference(got[name], expected[name]) for name in got}
    tap.ok(all(gap <= tolerance for gap, _ in worst.values()), f"{label}: values", worst)


def zero_sizes(tap, folder):
    """Each subset of the dimensions is 0: products are empty sums or there is nothing to compute."""
    affine, mlp = Library(folder, AFFINE, "affine"), Library(folder, MLP.format(activation="relu", wrt=EVERYTHING), "mlp")
    for library, names, numbers in ((affine, ("Z_rows", "Z_cols", "W_cols"), affine_numbers),
                                    (mlp, ("m", "n", "p", "k"), mlp_numbers)):
        for zeros in itertools.product((False, True), repeat=len(names)):
            dims = {d: 0 if z else 3 + i for i, (d, z) in enumerate(zip(names, zeros))}
            label = f"{library.name} " + " ".join(f"{d}={n}" for d, n in dims.items())
            inputs = random_inputs(library, dims)
            try:
                values, gradients = library.forward_backward(dims, inputs)
                compare(tap, label, {**values, **gradients}, numbers(inputs))
            except mx.Failure as error:
                tap.ok(False, label, error)


REDUCED = """X: [m, n]
u = sum(X, axis=0)
v = sum(X, axis=1)
s = sum(X)
q = sumsq(X)
t = tanh(X) @ ones(n)
output u, v, s, q, t
"""


def empty_sums(tap, folder):
    library = Library(folder, REDUCED, "reduced")
    for m, n in ((0, 0), (0, 3), (4, 0), (4, 3)):
        X = np.arange(m * n, dtype=float).reshape(m, n) / 7
        got, _ = library.call("eval", {"m": m, "n": n}, {"X": X})
        compare(tap, f"sums of a {m} x {n} matrix", got, {"u": X.sum(axis=0), "v": X.sum(axis=1), "s": X.sum(),
                                                         "q": (X * X).sum(), "t": np.tanh(X).sum(axis=1)})
    gradient = Library(folder, "X: [m, n]\nw: [n]\nf = sumsq(X @ w) + sum(exp(w))\ngrad f wrt X, w\n", "gradient")
    for m, n in ((0, 0), (0, 3), (4, 0)):
        X, w = np.ones((m, n)), np.full(n, 0.5)
        got, _ = gradient.call("grad_f", {"m": m, "n": n}, {"X": X, "w": w})
        compare(tap, f"gradient of empty sums, {m} x {n}", got,
                {"f": np.sum(np.exp(w)), "df_dX": np.zeros((m, n)), "df_dw": np.exp(w)})


WEIGHTED = "v: [m]\nx: [m, 1]\ny: [1, k]\nM: [k, p]\nt = softmax(v) @ (x * y @ M)\n"


def weights_of_nothing(tap, folder):
    """A softmax over nothing has no elements, and its empty sum divides none, wherever the division is done."""
    for level in ("-O0", "-O1", "-O2"):
        library = Library(folder, WEIGHTED, "weighted" + level[2:], (level,))
        for m in (0, 2):
            given = {"v": np.zeros(m), "x": np.ones((m, 1)), "y": np.ones((1, 3)), "M": np.ones((3, 4))}
            got, _ = library.call("eval", {"m": m, "k": 3, "p": 4}, given)
            compare(tap, f"{level}: weights of {m} rows", got, {"t": np.full(4, 3.0 if m else 0.0)})


def zero_sizes_sanitized(tap, folder):
    """The same under the sanitizers: arrays of no elements are allocated exactly."""
    module = mx.Module(folder, MLP.format(activation="relu", wrt=EVERYTHING), name="mlp")
    program = module.build("gcc", tuple(mx.SANITIZE))
    for zero in ("m", "n", "p", "k", "mnpk"):
        dims = {d: 0 if d in zero else 3 for d in "mnpk"}
        inputs = random_inputs(module, dims)
        try:
            values, gradients = module.call(program, ["mlp_forward", "mlp_backward"], dims, inputs)
            compare(tap, f"sanitized mlp, {zero} = 0", {**values, **gradients}, mlp_numbers(inputs))
        except mx.Failure as error:
            tap.ok(False, f"sanitized mlp, {zero} = 0", error)


def any_address(tap, folder):
    """Work and saved begin at any address and hold anything; the bits of the results do not depend on it."""
    library = Library(folder, MLP.format(activation="tanh", wrt=EVERYTHING), "mlp")
    for dims in ({"m": 5, "n": 3, "p": 4, "k": 2}, {"m": 67, "n": 130, "p": 71, "k": 33}):
        inputs = random_inputs(library, dims)
        results = [library.forward_backward(dims, inputs, shift) for shift in (0, 1, 7, 33, 63, 0)]
        bits = [b"".join(a.tobytes() for part in result for a in part.values()) for result in results]
        same(tap, f"mlp {dims}: the same bits with work and saved at six addresses", [b == bits[0] for b in bits], [True] * 6)
        H = np.tanh(inputs["X"] @ inputs["W"] + inputs["b"])
        near(tap, f"mlp {dims}: and they are right", results[1][0]["Y"], H @ inputs["V"] + inputs["c"], 1e-12)


def nothing_needed(tap, folder):
    """NULL where the size is 0, as Library.call passes it."""
    library = Library(folder, "x: [n]\ny = exp(x) * 2\ns = sum(x)\noutput y, s\n", "plain")
    same(tap, "elementwise values and a scalar sum need no workspace", library.size("worksize", "eval", 5), 0)
    got, _ = library.call("eval", {"n": 3}, {"x": [0, 1, 2]})
    near(tap, "and are right with work = NULL", got["y"], 2 * np.exp([0, 1, 2]))
    affine = Library(folder, AFFINE, "affine")
    same(tap, "affine saves nothing", affine.size("savedsize", "forward", 100, 200, 300), 0)
    for dims in ((1, 1, 1), (2, 3, 4), (1, 500, 1), (0, 0, 0)):
        work = affine.size("worksize", "forward", *dims)
        named = dict(zip(("Z_rows", "Z_cols", "W_cols"), dims))
        inputs = random_inputs(affine, named)
        got = affine.forward_backward(named, inputs)
        compare(tap, f"affine {dims}, {work} bytes of work, saved = NULL", {**got[0], **got[1]}, affine_numbers(inputs))


def overflow(tap, folder):
    affine = Library(folder, AFFINE, "affine")
    mlp = Library(folder, MLP.format(activation="relu", wrt=EVERYTHING), "mlp")
    big = 2 ** 40
    for function in ("forward", "backward"):
        for dims in ((big, big, big), (big, big, 1), (1, big, big), (SIZE_MAX, SIZE_MAX, SIZE_MAX), (SIZE_MAX, 1, 1)):
            same(tap, f"affine_{function}_worksize{dims}", affine.size("worksize", function, *dims), SIZE_MAX)
    for p, m in ((2 ** 33, 2 ** 33), (2 ** 31, 2 ** 30), (SIZE_MAX, 1), (2 ** 61, 1), (2 ** 61 - 1, 1), (2 ** 32, 2 ** 32)):
        same(tap, f"mlp_forward_savedsize for H of {m} x {p}", mlp.size("savedsize", "forward", m, 1, p, 1), SIZE_MAX)
        for function in ("forward", "backward"):
            same(tap, f"mlp_{function}_worksize for H of {m} x {p}", mlp.size("worksize", function, m, 1, p, 1), SIZE_MAX)
    same(tap, "sizes that fit are not called an overflow", mlp.size("savedsize", "forward", 2 ** 20, 1, 2 ** 20, 1),
         padded(2 ** 40))
    f32 = Library(folder, MLP.format(activation="relu", wrt=EVERYTHING), "mlp32", ["--real=f32"])
    same(tap, "f32: half the bytes", f32.size("savedsize", "forward", 2 ** 20, 1, 2 ** 20, 1), padded(2 ** 40, 4))
    same(tap, "f32: overflow", f32.size("savedsize", "forward", 2 ** 31, 1, 2 ** 31, 1), SIZE_MAX)


def differences(tap, folder):
    """Sizes with a minus overflow where their largest term does, and are 0 where they are negative, in calls too."""
    slices = Library(folder, "X: [m, n]\nY: [n, n]\nA = exp(X[1:m, :]) @ Y\nB = exp(A) @ Y\noutput B\n", "slices")
    for dims in ((2 ** 32, 2 ** 32), (2, SIZE_MAX), (SIZE_MAX, 2), (2 ** 33, 2 ** 31 + 1)):
        same(tap, f"(m - 1) n elements, m, n = {dims}", slices.size("worksize", "eval", *dims), SIZE_MAX)
    corner = Library(folder, "A: [n, n]\nB: [n, n]\nt = det(A[1:n, 1:n])\nX = A[1:n, 1:n] \\ B[1:n, 2:n]\n", "corner")
    same(tap, "a factorisation of size n - 1, n = 2^32", corner.size("worksize", "eval", 2 ** 32), SIZE_MAX)
    for n in (0, 1, 2):
        tap.ok(corner.size("worksize", "eval", n) < 2 ** 12, f"a factorisation of size n - 1, n = {n}")


def saved(tap, folder):
    """Forward leaves the hidden activation and nothing else."""
    for index, (activation, wrt, holds) in enumerate((
            ("relu", EVERYTHING, "H"), ("relu", "W, b, V", "H"), ("relu", "X", "H"), ("relu", "V", "H"), ("relu", "c", ""),
            ("tanh", EVERYTHING, "H"), ("sigmoid", EVERYTHING, "H"), ("exp", EVERYTHING, "H"))):
        library = Library(folder, MLP.format(activation=activation, wrt=wrt), f"mlp{index}")
        dims = [d for d in "mnpk" if d in library.functions[library.name + "_forward"]["dims"]]
        for sizes in ({"m": 5, "n": 3, "p": 4, "k": 2}, {"m": 8, "n": 100, "p": 8, "k": 100}, {"m": 1, "n": 9, "p": 1, "k": 9}):
            same(tap, f"{activation} layer, grad wrt {wrt}, {sizes}: saved holds {holds or 'nothing'}",
                 library.size("savedsize", "forward", *[sizes[d] for d in dims]),
                 padded((sizes["m"] * sizes["p"] + 7) // 8 * 8) if holds else 0)


FIXED = """dim n = 5, m = 7
X: [m, n]
y = sum(tanh(X), axis=0)
f = sumsq(y) + sum(exp(y))
grad f wrt X
"""


def macros(tap, folder):
    """All dimensions fixed and no product: the size is a macro too, and what the function says."""
    for real in ("f64", "f32"):
        library = Library(folder, FIXED, "fixed_" + real, ["--real=" + real])
        header = read(folder, f"fixed_{real}.h")
        for function in ("eval", "grad_f"):
            name = f"FIXED_{real}_{function}_WORKSIZE".upper()
            found = re.findall(rf"^#define {name} (\d+)$", header, re.M)
            size = library.size("worksize", function)
            same(tap, f"{name} is what the function gives", found, [str(size)])
        tap.ok(library.size("worksize", "grad_f") > 0, f"{real}: the gradient does need a workspace")
        X = np.linspace(-1, 1, 35).reshape(7, 5)
        y = np.tanh(X).sum(axis=0)
        got, _ = library.call("grad_f", {}, {"X": X})
        compare(tap, f"{real}: all dimensions fixed", got,
                {"f": (y * y).sum() + np.exp(y).sum(), "df_dX": (2 * y + np.exp(y)) * (1 - np.tanh(X) ** 2)},
                1e-12 if real == "f64" else 1e-5)
    generate(folder, "dim a = 4\nX: [a, a]\nY = tanh(X) * 3\nz = sum(Y, axis=0)\noutput z\n", "zero")
    tap.ok("WORKSIZE" in read(folder, "zero.h"), "a size of 0 is a macro too")
    generate(folder, AFFINE, "affine")
    generate(folder, "dim n = 2000000000\nX: [n, n]\nf = sum(softmax(softmax(exp(X), axis=1), axis=0))\n", "huge")
    tap.ok("#define HUGE_EVAL_WORKSIZE ((size_t)-1)" in read(folder, "huge.h"), "a macro says overflow, too")
    tap.ok("#define AFFINE" not in read(folder, "affine.h"), "open dimensions: no macro")


CASES = (zero_sizes, empty_sums, weights_of_nothing, zero_sizes_sanitized, any_address, nothing_needed, overflow,
         differences, saved, macros)
