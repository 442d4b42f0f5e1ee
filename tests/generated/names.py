"""Names that mean something in C, in its library, in C++ or in the generated code itself."""
import os
import re

import numpy as np

from common import QUIET, RUNTIME, Library, attempt, generate, mx, same, works, write
from compilers import COMPILERS, CXX, CXX17

KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Bool _Complex
_Generic bool alignas thread_local typeof nullptr constexpr class new delete this template typename namespace operator
private public try catch throw using virtual mutable explicit friend and or not xor bitand compl concept requires asm
true false"""
LIBC = """NULL M_PI I errno stdin stdout EOF INFINITY NAN SIZE_MAX size_t ptrdiff_t uintptr_t y0 y1 jn j0 gamma signgam index time main malloc
printf memcpy abort complex assert linux unix environ isnan signbit offsetof va_arg RAND_MAX read div remove"""
OWN = """i j k l work saved largest_ place_ first_ x_ s1 s2 t1 t2 t17
gemm_work product bytes mx_gemm_f64 mx_align mx_relu_f64 MX_OK MX_PAD_F64 mx_module double_ int_ xmx_align
dims in out this_ _x __y"""
MATHS = "exp_ expf tanhf sqrtf fmax fabs powf ldexp nan"


def is_name(folder, name):
    """Does the language itself keep the word? A keyword of .mx is no name; anything else must be one."""
    path = write(folder, "word.mx", f"{name}: [n]\nz_ = {name} + 1\n")
    return not re.search(r"error\[E0107\]", attempt([mx.MXC, "--emit=ast", path])[1])


def check(tap, folder, label, library, dims, inputs, expected):
    for compiler in COMPILERS:
        for flags in (mx.STRICT, ["-std=gnu17", "-Wall", "-Wextra", "-Wconversion", "-Werror"]):
            works(tap, f"{label}: {compiler} {flags[0]}", [compiler, *flags, "-I", RUNTIME, "-c", library.c, "-o",
                                                           library.c[:-2] + ".o"])
    source = write(folder, "user.cpp", "#include <cmath>\n#include <cstdio>\n#include <cerrno>\n#include <ctime>\n"
                   f'#include "{os.path.basename(library.h)}"\n')
    for compiler in CXX:
        works(tap, f"{label}: the header in {compiler}", [compiler, *CXX17, "-fsyntax-only", "-I", RUNTIME, source])
    function = next(n for n in library.functions if n.endswith("grad_f"))
    got, _ = library.call(function[len(library.name) + 1:], dims, inputs)
    worst = {n: mx.difference(got[n], expected[n]) for n in got}
    same(tap, f"{label}: all outputs", set(got), set(expected))
    tap.ok(all(gap <= 1e-12 for gap, _ in worst.values()), f"{label}: the numbers are right",
           {n: w for n, w in worst.items() if w[0] > 1e-12})


def inputs(tap, folder):
    """Every name as a vector: f = sum of k |name_k|^2 + sum tanh, whose gradient shows a mixed-up argument."""
    for label, words in (("keywords", KEYWORDS), ("libc", LIBC), ("own", OWN), ("maths", MATHS)):
        names = [n for n in dict.fromkeys(words.split()) if is_name(folder, n)]
        tap.ok(len(names) >= len(words.split()) - 8, f"{label}: nearly every word is a name", names)
        source = "".join(f"{n}: [n0]\n" for n in names)
        source += "f = " + " + ".join(f"{k + 1} * sumsq({n}) + sum(tanh({n}))" for k, n in enumerate(names)) + "\n"
        source += "grad f wrt " + ", ".join(names) + "\n"
        library = Library(folder, source, label)
        values = {n: np.linspace(0.1, 1, 3) * (k % 7 + 1) / 7 for k, n in enumerate(names)}
        expected = {f"df_d{n}": 2 * (k + 1) * values[n] + 1 - np.tanh(values[n]) ** 2 for k, n in enumerate(names)}
        expected["f"] = sum((k + 1) * (v * v).sum() + np.tanh(v).sum() for k, v in enumerate(values.values()))
        check(tap, folder, f"inputs named as {label}", library, {"n0": 3}, values, expected)


NUMBERED = "work0 work12 saved0 work_size0 saved_size1 sum_1_0 sum_2 max_3_0 max_1".split()


def numbered(tap, folder):
    """The names that bodies number for themselves, as an input, a dimension and an output."""
    for n in NUMBERED:
        roles = [("an input", f"{n}: [k]\nf = sumsq({n})\ngrad f wrt {n}\n"),
                 ("a dimension", f"x: [{n}]\nf = sumsq(x)\ngrad f wrt x\n"),
                 ("an output", f"x: [k]\n{n} = exp(x)\ngrad L wrt x\n")]
        for role, source in roles if n == "work0" else roles[:1]:
            path = write(folder, "numbered.mx", source)
            c = os.path.join(folder, "numbered.c")
            if works(tap, f"{n} as {role}: an answer", ["prlimit", "--cpu=1", mx.MXC, QUIET, "-o", c, path]):
                works(tap, f"{n} as {role}: good C", ["gcc", *mx.STRICT, "-I", RUNTIME, "-c", c, "-o", c + ".o"])


def dimensions(tap, folder):
    """Dimensions and scalars; a product, so that they are strides too."""
    sets = ("int class i", "j work exp", "NULL errno k", "saved main y0", "work_ t1 mx_gemm_f64", "l gemm_work size_t",
            "index time bytes", "sizeof product _x", "row columns tile", "in context column_stride")
    for number, names in enumerate(sets):
        a, b, c = names.split()
        source = f"X: [{a}, {b}]\nW: [{b}, {c}]\ns: scalar\nH = tanh(X @ W)\nf = s * sumsq(H) / {a} + {c}\ngrad f wrt X, W, s\n"
        library = Library(folder, source, f"dims{number}")
        rng = np.random.default_rng(number)
        X, W, s = rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), 1.5
        H = np.tanh(X @ W)
        dA = s * H * (1 - H * H)  # 2 / a with a = 2
        check(tap, folder, f"dimensions named {a}, {b}, {c}", library, {a: 2, b: 3, c: 4}, {"X": X, "W": W, "s": s},
              {"f": s * (H * H).sum() / 2 + 4, "df_dX": dA @ W.T, "df_dW": X.T @ dA, "df_ds": (H * H).sum() / 2})


def outputs(tap, folder):
    """Outputs and values on the way; the cotangents' names follow them."""
    words = [n for n in "int saved work i t1 exp_ class NULL errno main largest_ mx_relu_f64 double s1".split()
             if is_name(folder, n)]
    lines = ["X: [m, n]"] + [f"{n} = tanh(X * {k + 1})" for k, n in enumerate(words)]
    library = Library(folder, "\n".join(lines) + "\ngrad loss wrt X\n", "outputs")
    for compiler in COMPILERS:
        works(tap, f"outputs: {compiler}", [compiler, *mx.STRICT, "-I", RUNTIME, "-c", library.c, "-o", library.c + ".o"])
    X = np.linspace(-0.5, 0.5, 6).reshape(2, 3)
    given = {"X": X, **{f"dloss_d{n}": np.full((2, 3), k + 0.5) for k, n in enumerate(words)}}
    values, gradients = library.forward_backward({"m": 2, "n": 3}, given)
    gaps = {n: mx.difference(values[n], np.tanh(X * (k + 1))) for k, n in enumerate(words)}
    tap.ok(all(gap <= 1e-13 for gap, _ in gaps.values()), "outputs: values", gaps)
    dX = sum((k + 0.5) * (k + 1) * (1 - np.tanh(X * (k + 1)) ** 2) for k in range(len(words)))
    gap, where = mx.difference(gradients["dL_dX"] if "dL_dX" in gradients else gradients["dloss_dX"], dX)
    tap.ok(gap <= 1e-13, "outputs: gradient", where)


def functions(tap, folder):
    """A request's name becomes a C function: one that C keeps is refused or compiles."""
    for name in ("exp", "malloc", "printf", "main", "int", "class", "errno", "NULL", "memcpy", "mx_gemm_f64", "sum", "y0",
                 "mx_size_add", "size_t", "_start", "module"):
        path = write(folder, "request.mx", f"x: [n]\nf = sum(exp(x)) / n\ngrad f wrt x as {name}\n")
        c = os.path.join(folder, "request.c")
        status, said = attempt([mx.MXC, "-o", c, path])
        if status == 0:
            status, said = attempt(["gcc", *mx.STRICT, "-I", RUNTIME, "-c", c, "-o", c + ".o"])
        else:
            status = 0 if status == 1 and "error[" in said else status
        tap.ok(status == 0, f"grad … as {name}: an error of mxc or good C", said)


def beside(tap, folder):
    """Functions named as what mxc might call the functions for tiles, the entries of the table and the table."""
    own = ("t_after_A t_after_A_loops t_before_A t_in t_out t_dims t_entry t_worksize_entry beside_functions "
           "beside_module_worksize").split()
    source = "X: [m, k]\nW: [k, n]\nb: [n]\nA = tanh(X @ W + b)\nf = sumsq(A)\ngrad f wrt W, b as t\n"
    path = write(folder, "beside.mx", source + "".join(f"grad f wrt X as {n}\n" for n in own))
    c = os.path.join(folder, "beside.c")
    if works(tap, "beside: compiles", [mx.MXC, "--reflect", "-o", c, path]):
        works(tap, "beside: and so does its C", ["gcc", *mx.STRICT, "-I", RUNTIME, "-c", c, "-o", c + ".o"])
        tap.ok("MX_TILE(" in open(c).read(), "beside: it has functions for tiles")


def modules(tap, folder):
    """A file's name becomes the prefix of functions."""
    for name in ("int", "class", "exp", "main", "2nd-layer", "a b", "NULL", "mx", "état"):
        path = write(folder, name + ".mx", "x: [n]\nf = sum(exp(x))\ngrad f wrt x\n")
        c = os.path.join(folder, name + ".c")
        if works(tap, f"{name}.mx: compiles", [mx.MXC, "--reflect", "-o", c, path]):
            works(tap, f"{name}.mx: and so does its C", ["gcc", *mx.STRICT, "-I", RUNTIME, "-c", c, "-o", c + ".o"])


CASES = (inputs, numbered, dimensions, outputs, functions, beside, modules)
