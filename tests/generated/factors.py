"""Factorisations: each matrix is factored once; matrices without factors give a status, and NaN in every output."""
import os
import re

import numpy as np

from common import Library, calculus, generate, mx, read, same

MX_OK, MX_ERR_SINGULAR, MX_ERR_NOT_SPD = 0, 2, 3
LU, CHOLESKY = "mx_factor_lu", "mx_factor_cholesky"


# ---- One factorisation ----------------------------------------------------------------------------------------------


def calls_of(c, function, call):
    """The calls in a function and its parts, each by its first argument."""
    bodies = re.findall(rf"^(?:static MX_NOINLINE )?int {function}(?:_part\d+)?\([^)]*\) {{\n(.*?)^}}", c, re.S | re.M)
    assert bodies, function
    return [size for body in bodies for size in re.findall(rf"{call}_f64\(([^,]*),", body)]


LIKELIHOOD = """S: {} [n, n]
r: [n]
f = logdet(S) + r' @ inv(S) @ r
grad f wrt S, r
grad f wrt r as slope
hvp f wrt S, r
"""


def likelihood(tap, folder):
    """The gradient of logdet(S) + r' inv(S) r factors S once."""
    for structure, call in (("", LU), ("symmetric", LU), ("spd", CHOLESKY)):
        name = "f_" + (structure or "dense")
        c = read(folder, os.path.basename(generate(folder, LIKELIHOOD.format(structure), name)[0]))
        for function in ("eval", "grad_f", "hvp_f"):
            same(tap, f"{structure or 'dense'}: {function} factors S once",
                 [calls_of(c, f"{name}_{function}", other) for other in (LU, CHOLESKY)],
                 [["n"] * (call == other) for other in (LU, CHOLESKY)])
        gradient = re.search(rf"^int {name}_grad_f\(.*?^}}", c, re.S | re.M).group()
        same(tap, f"{structure or 'dense'}: grad_f solves in place, and copies nothing onto itself",
             re.findall(r"^ +t\d+\[([^]]+)\] = t\d+\[\1\];", gradient, re.M), [])
        solves = [size for size in re.findall(r"mx_solve_\w+\((\w+, \w+),", re.search(r"^int slope\(.*?^}", c, re.S | re.M).group())]
        same(tap, f"{structure or 'dense'}: the slope in r solves with vectors only", set(solves), {"n, 1"})


def models(tap, folder):
    """The same where S is computed: how many matrices each function of a model factors, and their sizes."""
    expected = {
        "model-gp": {"eval": (CHOLESKY, ["n"]), "grad_f": (CHOLESKY, ["n"]), "hess_f": (CHOLESKY, ["n"])},
        "model-kalman": {"eval": (CHOLESKY, ["m"]), "grad_f": (CHOLESKY, ["m"]), "vjp_xn": (CHOLESKY, ["m"])},
        "model-gls": {"grad_f": (CHOLESKY, ["m", "n"]), "jvp_beta": (CHOLESKY, ["m", "n"])},
        "model-student": {"grad_f": (CHOLESKY, ["n"]), "hvp_f": (CHOLESKY, ["n"])},
        "model-factors": {"eval": (CHOLESKY, ["p"]), "grad_nll": (CHOLESKY, ["p"]), "hvp_nll": (CHOLESKY, ["p"])},
        "model-indefinite": {"eval": (LU, ["p", "p"]), "vjp_y": (LU, ["p"]), "vjp_z": (LU, ["p"])},
        "model-newton": {"eval": (LU, ["n"]), "grad_decrement": (LU, ["n"]), "jac_next": (LU, ["n"])},
        "model-tikhonov": {"grad_f": (LU, ["n"]), "jvp_x": (LU, ["n"])},
    }
    for model, functions in expected.items():
        with open(calculus(model)) as file:
            c = read(folder, os.path.basename(generate(folder, file.read(), "m")[0]))
        for function, (call, sizes) in functions.items():
            got = {other: calls_of(c, f"m_{function}", other) for other in (LU, CHOLESKY)}
            same(tap, f"{model}: {function} factors each matrix once", got,
                 {other: sizes if other == call else [] for other in (LU, CHOLESKY)})


def solved_once(tap, folder):
    """A product with an inverse that another value has, too, is not solved for again."""
    c = read(folder, os.path.basename(generate(folder, """M: [n, n]
b: [n]
s: scalar
x = solve(M + s * eye(n), b)
f = sumsq(x)
grad f wrt s
""", "once")[0]))
    solves = re.findall(r"mx_solve_lu_f64\((\w+, \w+), (\d)", re.search(r"^int once_grad_f\(.*?^}", c, re.S | re.M).group())
    same(tap, "df/ds = -x' y takes x as it is: one solve, one by the transpose", sorted(solves), [("n, 1", "0"), ("n, 1", "1")])


def cholesky_backward(tap, folder):
    """The adjoint of Cholesky's factor is a product and two solves; of what is solved by it no inverse is formed."""
    source = "C: spd [n, n]\nX: [n, m]\nZ = cholesky(C) \\ X\nvjp Z wrt C\n"
    c = read(folder, os.path.basename(generate(folder, source, "white")[0]))
    text = re.search(r"^int white_vjp_Z\(.*?^}", c, re.S | re.M).group()
    same(tap, "calls", [re.sub(r"_f64(_hooked)?", "", call) for call in re.findall(r"mx_(?:gemm|solve_triangular|factor_cholesky)_f64(?:_hooked)?\(\w+, \w+", text)],
         ["mx_factor_cholesky(n, C", "mx_solve_triangular(n, m", "mx_gemm(n, n", "mx_solve_triangular(n, n", "mx_solve_triangular(n, n"])


def backward_solves(tap, folder):
    """Forward leaves the factor; backward solves by it."""
    c = read(folder, os.path.basename(generate(folder, "S: [n, n]\nr: [n]\nw = S \\ r\nd = logdet(S)\ngrad L wrt S, r\n", "fb")[0]))
    same(tap, "forward factors S once, backward never",
         [calls_of(c, f"fb_{function}", LU) for function in ("forward", "backward")], [["n"], []])


# ---- Statuses -------------------------------------------------------------------------------------------------------


def with_diagonal(n, value, dense):
    matrix = np.eye(n) * 2 + (np.tri(n, k=-1) - np.tri(n, k=-1).T if dense else 0) * 0.25
    if n:
        matrix[n - 1, n - 1] = value
    return matrix


def dense_matrices(n):
    """Matrices and whether they have an inverse; of the others whether all elements are finite."""
    yield "regular", with_diagonal(n, 3.0, True), True
    if n:
        yield "zero", np.zeros((n, n)), False
        for what in (np.nan, np.inf, -np.inf):
            yield f"{what} at the end", with_diagonal(n, what, True), False
            yield f"{what} at the beginning", with_diagonal(n, what, True)[::-1, ::-1], False
    if n > 1:
        yield "of rank 1", np.ones((n, n)), False
        yield "with a row of zeros", np.diag([0.0] + [1.0] * (n - 1)), False
        corner = with_diagonal(n, 3.0, True)
        corner[0, n - 1] = np.nan
        yield "nan in the corner", corner, False


def spd_matrices(n):
    """The upper triangle is never read."""
    unread = np.where(np.tri(n, dtype=bool), 0, np.nan)
    yield "positive", with_diagonal(n, 3.0, False) + unread, True
    for what in (0.0, -1.0, np.nan, np.inf, -np.inf) if n else ():
        yield f"{what} at the end", with_diagonal(n, what, False) + unread, False
    if n > 1:
        yield "of rank 1", np.ones((n, n)) + unread, False
        yield "indefinite", np.eye(n) * 2 - 3 * np.eye(n)[::-1] + unread, False


def triangular_matrices(n, lower):
    unread = np.where(np.tri(n, dtype=bool) if lower else np.tri(n, dtype=bool).T, 0, np.nan)
    yield "regular", with_diagonal(n, 3.0, False) + unread, True
    for what in (0.0, np.nan, np.inf) if n else ():
        yield f"{what} at the end", with_diagonal(n, what, False) + unread, False
        yield f"{what} at the beginning", with_diagonal(n, what, False)[::-1, ::-1] + unread, False


def diagonal_matrices(n):
    for name, matrix, good in triangular_matrices(n, True):
        yield name, np.diag(matrix).copy(), good


MATRICES = {"": dense_matrices, "symmetric": dense_matrices, "spd": spd_matrices, "diagonal": diagonal_matrices,
            "lower": lambda n: triangular_matrices(n, True), "upper": lambda n: triangular_matrices(n, False)}
VALUES = {"inv": "F = inv(A)", "solve": "F = solve(A, B)", "divided": "F = A \\ b", "logdet": "F = logdet(A)",
          "det": "F = det(A)", "cholesky": "F = cholesky(A)"}


def program(structure, operator, size="n"):
    if operator == "cholesky" and structure == "":
        structure = "symmetric"
    vector = operator in ("divided",)
    weighted = "F" if operator in ("logdet", "det") else f"dot(F, {'b'})" if vector else "inner(F, B)"
    return (f"A: {structure} [{size}, {size}]\nB: [{size}, {size}]\nb: [{size}]\n{VALUES[operator]}\nf = 2 * {weighted}\n"
            "grad f wrt A\nvjp F wrt A as back\noutput F\n")


def status_of(structure, operator, good):
    """By function: the value and its derivatives."""
    if good:
        return MX_OK, MX_OK
    factored = MX_ERR_NOT_SPD if structure == "spd" or operator == "cholesky" else MX_ERR_SINGULAR
    return (factored if operator != "det" or structure == "spd" else MX_OK), factored


def is_nan(outputs):
    return all(np.all(np.isnan(value)) for value in outputs.values())


def is_finite(outputs):
    return all(np.all(np.isfinite(value)) for value in outputs.values())


def judge(tap, label, call, status):
    """Values where the status is MX_OK, else NaN in every output; memory beside the arrays is the call's to watch."""
    try:
        outputs = call()
        tap.ok(is_nan(outputs) if status else is_finite(outputs), f"{label}: status {status}", outputs)
    except mx.Failure as failure:
        tap.ok(False, f"{label}: status {status}", failure)


def statuses_of(tap, folder, structure, operator, size="n"):
    name = f"{structure or 'dense'}_{operator}_{size}"
    library = Library(folder, program(structure, operator, size), name)
    for n in (0, 1, 2, 5, 20) if size == "n" else (int(size),):
        rng = np.random.default_rng(n)
        matrices = spd_matrices if operator == "cholesky" and structure != "diagonal" else MATRICES[structure]
        for what, matrix, good in matrices(n):
            inputs = {"A": matrix, "B": rng.standard_normal((n, n)), "b": rng.standard_normal(n)}
            about = library.functions["back"]
            inputs.update({a["name"]: rng.standard_normal(mx.shape_of(a, {"n": n})) for a in about["inputs"] if a.get("role")})
            value, derivative = status_of(structure, operator, good)
            label = f"{structure or 'dense'} {operator}, n = {n}, {what}"
            if operator == "det" and not good:
                det_of_singular(tap, library, label, structure, n, inputs, derivative)
                continue
            judge(tap, f"{label}: value", lambda: library.call("eval", {"n": n}, inputs, status=value)[0], value)
            judge(tap, f"{label}: gradient", lambda: library.call("grad_f", {"n": n}, inputs, status=derivative)[0], derivative)


def det_of_singular(tap, library, label, structure, n, inputs, derivative):
    """0, or what IEEE arithmetic makes of elements that are not finite; its derivative asks for an inverse, but that of
    a diagonal matrix and that of a number."""
    read = {"lower": np.tril, "upper": np.triu}.get(structure, np.asarray)(inputs["A"])
    finite = bool(np.all(np.isfinite(read)))
    value = MX_ERR_NOT_SPD if structure == "spd" else MX_OK
    outputs, _ = library.call("eval", {"n": n}, inputs, status=value)
    right = np.isnan(outputs["F"]) if value else outputs["F"] == 0 if finite else not np.isfinite(outputs["F"])
    tap.ok(bool(right), f"{label}: value", outputs)
    if structure == "diagonal":
        derivative = MX_OK
    if derivative or finite:
        judge(tap, f"{label}: gradient", lambda: library.call("grad_f", {"n": n}, inputs, status=derivative)[0], derivative)


def statuses(structure):
    def case(tap, folder):
        for operator in VALUES:
            if operator != "cholesky" or structure in ("", "symmetric", "spd", "diagonal"):
                statuses_of(tap, folder, structure, operator)
    case.__name__ = f"statuses of {structure or 'dense'} matrices"
    return case


def one_by_one(tap, folder):
    """A matrix of literally one element."""
    for operator in ("inv", "solve", "logdet", "cholesky"):
        library = Library(folder, program("", operator, "1"), f"one_{operator}")
        for element, good in ((2.0, True), (0.0, False), (np.nan, False), (np.inf, False)) + ((-2.0, operator != "cholesky"),):
            status = MX_OK if good else MX_ERR_NOT_SPD if operator == "cholesky" else MX_ERR_SINGULAR
            inputs = {"A": np.array([[element]]), "B": np.ones((1, 1)), "b": np.ones(1)}
            for function in ("eval", "grad_f"):
                judge(tap, f"[{element}]: {operator}, {function}",
                      lambda: library.call(function, {}, inputs, status=status)[0], status)


def forward_backward(tap, folder):
    """Forward judges what it inverts; where only backward does, as for det, backward."""
    library = Library(folder, "A: [n, n]\nb: [n]\nw = A \\ b\nd = det(A)\ngrad L wrt A, b\n", "both")
    rng = np.random.default_rng(7)
    for n in (0, 1, 4):
        for what, matrix, good in dense_matrices(n):
            inputs = {"A": matrix, "b": rng.standard_normal(n), "dL_dw": rng.standard_normal(n), "dL_dd": 1.5}
            status = MX_OK if good else MX_ERR_SINGULAR
            judge(tap, f"forward, n = {n}, {what}", lambda: library.call("forward", {"n": n}, inputs, status=status)[0], status)
            if good:
                judge(tap, f"backward, n = {n}, {what}", lambda: library.forward_backward({"n": n}, inputs)[1], MX_OK)
    library = Library(folder, "A: [n, n]\nd = det(A)\ngrad L wrt A\n", "det")
    for n in (1, 4):
        inputs = {"A": np.zeros((n, n)), "dL_dd": 1.5}
        values, saved = library.call("forward", {"n": n}, inputs)
        same(tap, f"forward, det of zeros, n = {n}", float(values["d"]), 0.0)
        judge(tap, f"backward, det of zeros, n = {n}",
              lambda: library.call("backward", {"n": n}, inputs, saved=saved, status=MX_ERR_SINGULAR)[0], MX_ERR_SINGULAR)


def in_parts(tap, folder):
    """A function that is written in parts leaves at the one that fails, in its middle or at its end."""
    lines = ["A: [n, n]", "S: spd [n, n]", "x: [n]", "t0 = A \\ x"]
    lines += [f"t{i} = sin(t{i - 1}) + 0.1 * sum(t{i - 1}) * x[0]" for i in range(1, 100)]
    library = Library(folder, "\n".join(lines) + "\nf = sum(t99) + t99' @ inv(S) @ t99\ngrad f wrt x, A, S\n", "deep")
    same(tap, "it is in parts", "deep_grad_f_part1" in read(folder, "deep.c"), True)
    n, bad = 4, np.ones((4, 4))
    good = {"A": with_diagonal(n, 3.0, True), "S": with_diagonal(n, 3.0, False), "x": np.arange(n) / 4}
    for label, changed, status in (("good", {}, MX_OK), ("singular A", {"A": bad}, MX_ERR_SINGULAR),
                                   ("S not positive", {"S": bad - 2}, MX_ERR_NOT_SPD)):
        judge(tap, f"in parts, {label}", lambda: library.call("grad_f", {"n": n}, {**good, **changed}, status=status)[0], status)


def sanitized(tap, folder):
    """The same under the sanitizers, which see reads beside an array, too."""
    source = """A: [n, n]
S: spd [n, n]
L: lower [n, n]
D: diagonal [n, n]
b: [n]
f = logdet(A) + b' @ (S \\ b) + sum(L \\ b) + logdet(D) + sum(inv(D) @ b) + sum(cholesky(S))
grad f wrt A, S, L, D, b
"""
    module = mx.Module(folder, source)
    program = module.build("gcc", tuple(mx.SANITIZE))
    for n in (0, 1, 3, 20):
        good = {"A": with_diagonal(n, 3.0, True), "S": with_diagonal(n, 3.0, False), "L": with_diagonal(n, 3.0, False),
                "D": np.full(n, 2.0), "b": np.ones(n)}
        bad = [("A", np.zeros((n, n)), MX_ERR_SINGULAR), ("S", -good["S"], MX_ERR_NOT_SPD),
               ("L", np.zeros((n, n)), MX_ERR_SINGULAR), ("D", np.zeros(n), MX_ERR_SINGULAR),
               ("A", np.full((n, n), np.nan), MX_ERR_SINGULAR), ("D", np.full(n, np.inf), MX_ERR_SINGULAR)]
        for name, matrix, status in [("A", good["A"], MX_OK)] + (bad if n else []):
            for function in ("module_eval", "module_grad_f"):
                judge(tap, f"sanitized {function}, n = {n}, {name}", lambda: module.call(
                    program, [function], {"n": n}, {**good, name: matrix}, status)[0], status)


CASES = [likelihood, models, solved_once, cholesky_backward, backward_solves, *[statuses(structure) for structure in MATRICES], one_by_one,
         forward_backward, in_parts, sanitized]
