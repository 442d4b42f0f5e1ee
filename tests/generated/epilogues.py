"""What follows a product is done with each of its tiles, what sums up a factor while that is read: where it is, where it
may not be, and that it changes nothing."""
import os
import re

import numpy as np

from common import generate, mx, near, same
from contract import function_text, without_comments

LAYERS = """X: [m, k]
W: [k, n]
V: [n, k]
R: [m, n]
b: [n]
c: [m]
s: scalar
H = relu(X @ W + b)
Y = tanh(s * (X @ W)) * R
Z = R - (X @ W) / 2 + X @ V'
T = (X @ W)' + c'
U: [k, n]
J = b - R * s + X @ U
N = sum(exp(sin(X @ W)), axis=1)
M = max(V @ X' / 4, axis=1) + sum(V @ X', axis=1)
"""

GRADIENT = """H = tanh(X @ W + b)
E = H @ V - Y
f = sumsq(E) + sumsq(X @ W) / 2
grad f wrt W, b, X, V
"""

# Products that are read at other places than the tile's, or as a whole.
WHOLE = """C: [n, k]
D: [k, n]
P = C @ D
S = exp(P / 8) + P'
Q = P / (1 + sumsq(P)) + diag(P)
"""

# A product that two outputs are made of; one whose operand is read by what follows it, too, and then no more.
PLACES = """X: [m, k]
W: [k, n]
U: [k, n]
G: [n, n]
Y = exp(X @ W / 4)
V = sin(X @ W / 4)
M = W' @ U
N = M @ G
H = tanh(N) * M
Z = H @ N
"""


# Z is summed up by the product before it; G and exp(G) by a nest that makes exp(G) anyway; H along the other direction.
SUMS = """Z: [m, k]
G: [m, n]
C = Z' @ G
s = sum(Z, axis=0)
t = sum(G, axis=0)
D = G @ H
T = exp(G) @ H
u = sum(exp(G), axis=0)
N = sum(G, axis=1)
S = H' @ sum(H, axis=1)
output C, s, t, D, T, u, N, S
"""


def oracle_sums(x):
    Z, G, H = x["Z"], x["G"], x["H"]
    return {"C": Z.T @ G, "s": np.sum(Z, axis=0), "t": np.sum(G, axis=0), "D": G @ H, "T": np.exp(G) @ H, "u": np.sum(np.exp(G), axis=0),
            "N": np.sum(G, axis=1), "S": H.T @ np.sum(H, axis=1)}


# Sums that may not come with the product as it stands: D needs the product before Z is summed up; K needs the sum; v is
# a multiple.
BETWEEN = """Z: [m, k]
G: [m, n]
C = Z' @ G
D = C @ H
s = sum(Z, axis=0)
output C, D, s
"""

NEEDED = """Z: [m, n]
G: [m, n]
s = sum(Z, axis=0)
K = Z' @ (G - s / 8)
output s, K
"""

MULTIPLE = """Z: [m, k]
G: [m, n]
v = sum(3 * Z, axis=0)
C = Z' @ G
output v, C
"""


def oracle_between(x):
    C = x["Z"].T @ x["G"]
    return {"C": C, "D": C @ x["H"], "s": np.sum(x["Z"], axis=0)}


def oracle_needed(x):
    s = np.sum(x["Z"], axis=0)
    return {"s": s, "K": x["Z"].T @ (x["G"] - s / 8)}


def oracle_multiple(x):
    return {"v": 3 * np.sum(x["Z"], axis=0), "C": x["Z"].T @ x["G"]}


BIAS = "Y = Z @ W + b\nvjp Y wrt W, Z, b\n"


def oracle_bias(x):
    return {"Y": x["Z"] @ x["W"] + x["b"], "vjp_W": x["Z"].T @ x["u_Y"], "vjp_Z": x["u_Y"] @ x["W"].T, "vjp_b": np.sum(x["u_Y"], axis=0)}


def oracle_layers(x):
    A = x["X"] @ x["W"]
    return {"H": np.maximum(A + x["b"], 0), "Y": np.tanh(x["s"] * A) * x["R"], "Z": x["R"] - A / 2 + x["X"] @ x["V"].T,
            "T": A.T + x["c"], "J": x["b"] - x["R"] * x["s"] + x["X"] @ x["U"], "N": np.sum(np.exp(np.sin(A)), axis=1),
            "M": np.max(x["V"] @ x["X"].T / 4, axis=1, initial=-np.inf) + np.sum(x["V"] @ x["X"].T, axis=1)}


def oracle_gradient(x):
    A = x["X"] @ x["W"]
    H = np.tanh(A + x["b"])
    E = H @ x["V"] - x["Y"]
    dA = 2 * E @ x["V"].T * (1 - H ** 2)
    return {"f": np.sum(E ** 2) + np.sum(A ** 2) / 2, "df_dW": x["X"].T @ (dA + A), "df_db": np.sum(dA, axis=0),
            "df_dX": (dA + A) @ x["W"].T, "df_dV": 2 * H.T @ E}


def oracle_whole(x):
    P = x["C"] @ x["D"]
    return {"P": P, "S": np.exp(P / 8) + P.T, "Q": P / (1 + np.sum(P ** 2)) + np.diag(P)}


def oracle_places(x):
    A, M = x["X"] @ x["W"] / 4, x["W"].T @ x["U"]
    N = M @ x["G"]
    return {"Y": np.exp(A), "V": np.sin(A), "Z": (np.tanh(N) * M) @ N}


def random_inputs(facts, dims, seed):
    rng = np.random.default_rng(seed)
    return {i["name"]: rng.standard_normal(mx.shape_of(i, dims)) for i in facts["inputs"]}


def sums_in_tiles(tap, folder):
    """The gradient of the bias is summed up where the cotangent is made."""
    text = open(generate(folder, GRADIENT)[0]).read()
    tiles = "".join(re.findall(r"^static void \w+_after_\w+_loops.*?^}", text, re.S | re.M))
    tap.ok("df_db[j] +=" in tiles and "df_db[j] +=" not in function_text(without_comments(text), "module_grad_f"), "df_db is summed up by tiles", text)


def in_tiles(tap, folder):
    """Bias, activation and scaling are in functions for tiles; without joined nests, at -O1, they are in loops."""
    for options, tiles in (((), True), (("-O1",), False)):
        text = open(generate(folder, LAYERS, options=options)[0]).read()
        body = function_text(without_comments(text), "module_eval")
        same(tap, f"{options}: products with what follows them", "mx_gemm_f64_hooked(" in body, tiles)
        for kind in ("before", "after"):
            same(tap, f"{options}: functions for tiles {kind} the product", f" mx_module_eval_{kind}_" in text, tiles)
        same(tap, f"{options}: loops that apply a function", bool(re.search(r"mx_relu_f64|tanh\(", body)), not tiles)


def sums_of_factors(tap, folder):
    """By the product that reads the factor, in its direction; not at -O1."""
    for options, calls in (((), ["mx_sum_columns_f64, vjp_b"]), (("-O1",), [])):
        text = open(generate(folder, BIAS, options=options)[0]).read()
        same(tap, f"{options}: sums of a cotangent", re.findall(r"mx_sum_\w+, \w+", text), calls)
    text = open(generate(folder, SUMS)[0]).read()
    same(tap, "sums of factors", re.findall(r"mx_sum_\w+, \w+", text), ["mx_sum_rows_f64, s"])


def long_functions(tap, folder):
    """Past its first thousand kernels a function has no tiles, so that its C stays short."""
    source = "\n".join(["X: [m, n]", "H0 = X"] + [f"H{i} = tanh(H{i - 1} @ W{i})" for i in range(1, 1501)]) + "\n"
    count = open(generate(folder, source)[0]).read().count("\nMX_TILE(")
    tap.ok(900 < count <= 1000, "1500 layers: about a thousand products with tiles", count)


def formulas(tap, folder):
    """A call stands under all that it does, in order."""
    text = open(generate(folder, "R: [m, n]\nY = R + X @ W\nZ = exp(Y)\noutput Y, Z\n")[0]).read()
    block = re.search(r"^int module_eval\(.*?mx_gemm_f64_hooked", text, re.S | re.M)
    same(tap, "what a fused call does", re.findall(r"/\* (.*?)  +\S+ \*/", block.group()) if block else None,
         ["Y = R", "Y += X @ W", "Z = exp(Y)"])


def whole_values(tap, folder):
    """What needs other places than the tile's comes after the product."""
    text = open(generate(folder, WHOLE)[0]).read()
    tiles = re.findall(r"^static void \w+_(?:before|after)_.*?^}", text, re.S | re.M)
    tap.ok(not any("exp(" in tile or "sumsq" in tile for tile in tiles), "exp(P / 8) + P' is no epilogue of P", tiles)


FLAGS = {"-O2": tuple(mx.SANITIZE), "--real=f32": ("-O3", "-march=native")}
LARGE = ((0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (5, 1, 7), (1, 6, 3), (33, 40, 50), (70, 300, 90), (530, 260, 330))


def programs():
    """Source, oracle, function, and dimensions: the last two have many tiles."""
    return ((LAYERS, oracle_layers, "module_eval", [dict(zip("mnk", sizes)) for sizes in LARGE]),
            (GRADIENT, oracle_gradient, "module_grad_f",
             [dict(zip(("X_rows", "W_cols", "X_cols", "V_cols"), (*sizes, sizes[2] // 2 + 1))) for sizes in LARGE]),
            (PLACES, oracle_places, "module_eval", [dict(zip("mnk", sizes)) for sizes in ((1, 2, 3), (9, 40, 7), (200, 300, 20))]),
            (SUMS, oracle_sums, "module_eval", [dict(zip(("m", "k", "n", "H_cols"), (*sizes, sizes[0] // 2 + 1))) for sizes in LARGE]),
            (BETWEEN, oracle_between, "module_eval", [dict(zip(("m", "k", "n", "H_cols"), (*sizes, 4))) for sizes in LARGE]),
            (NEEDED, oracle_needed, "module_eval", [dict(m=m, n=n) for m, n in ((0, 3), (3, 0), (1, 1), (4, 3), (50, 40), (300, 90))]),
            (MULTIPLE, oracle_multiple, "module_eval", [dict(zip("mkn", sizes)) for sizes in LARGE]),
            (BIAS, oracle_bias, "module_vjp_Y", [dict(zip(("Z_rows", "Z_cols", "W_cols"), sizes)) for sizes in LARGE]),
            (WHOLE, oracle_whole, "module_eval", [dict(n=n, k=k) for n, k in ((1, 1), (3, 4), (90, 70), (400, 60))]))


def agree(tap, folder):
    """Every level against NumPy, with one tile and with many."""
    for source, oracle, function, shapes in programs():
        for level, tolerance in (("-O0", 1e-12), ("-O1", 1e-12), ("-O2", 1e-12), ("--real=f32", 1e-4)):
            module = mx.Module(os.path.join(folder, oracle.__name__ + level), source, [level])
            program = module.build("gcc", FLAGS.get(level, ("-O2",)), tiled=False)
            for dims in shapes:
                inputs = random_inputs(module.functions()[function], dims, sum(dims.values()))
                values, = module.call(program, [function], dims, inputs)
                expected = oracle(inputs)
                for name, value in values.items():
                    near(tap, f"{level}: {name} at {dims}", value, expected[name], tolerance)


def threads_agree(tap, folder):
    """Tiles that come on several threads give the same bits."""
    for source, oracle, function, shapes in programs():
        module = mx.Module(os.path.join(folder, oracle.__name__), source)
        program = module.build("gcc", ("-O3", "-march=native"), tiled=False)
        for dims in shapes[-2:]:
            inputs = random_inputs(module.functions()[function], dims, 7)
            one, *more = (module.call(program, [function], dims, inputs, threads=count)[0] for count in (1, 2, 3))
            tap.ok(all(np.array_equal(one[name], other[name]) for other in more for name in one),
                   f"{oracle.__name__} at {dims}: one, two and three threads give the same bits")


CASES = (in_tiles, sums_in_tiles, sums_of_factors, long_functions, formulas, whole_values, agree, threads_agree)
