"""--stats against what the generated code does, counted: it is compiled as C++ with a 'double' that counts its operations.

Sums, differences, products, quotients and calls of elementary functions count one each; calls of the runtime count what
gen/plan/planning.h says of them. What stands under a condition on indices counts as if it always held, and is made to."""
import json
import os
import re

from common import CALCULUS, QUIET, RUNTIME, attempt, identifier, mx, read, same, write

COUNTING = r"""
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>
#define MXFIXED_H /* its functions are those below */
#include <mxmath.h>
#include <mxrt.h>
#include <mxwork.h>

static unsigned long long operations;
struct counted {
    double v;
    counted() : v(0) {}
    template <class T> counted(T x) : v((double)x) {}
    counted &operator+=(counted b) { operations++; v += b.v; return *this; }
};
static counted one(double v) { operations++; return counted(v); }
static counted operator+(counted a, counted b) { return one(a.v + b.v); }
static counted operator-(counted a, counted b) { return one(a.v - b.v); }
static counted operator*(counted a, counted b) { return one(a.v * b.v); }
static counted operator/(counted a, counted b) { return one(a.v / b.v); }
static counted operator-(counted a) { return counted(-a.v); }
%(functions)s
/* Of a coefficient only a literal 1 or -1 is known to cost nothing. */
static bool scales(double alpha) { return alpha != 1 && alpha != -1; }
static bool scales(counted) { return true; }
template <class coefficient>
static void mx_gemm_f64(size_t m, size_t n, size_t k, coefficient alpha, const counted *a, ptrdiff_t rsa, ptrdiff_t csa,
                        const counted *b, ptrdiff_t rsb, ptrdiff_t csb, counted beta, counted *c, ptrdiff_t rsc,
                        ptrdiff_t csc, void *work) {
    operations += 2 * m * n * k + m * n * (scales(alpha) + (beta.v != 0));
    mx_gemm_f64(m, n, k, counted(alpha).v, &a->v, rsa, csa, &b->v, rsb, csb, beta.v, &c->v, rsc, csc, work);
}
struct counted_tiles {
    void (*tile)(void *, size_t, size_t, size_t, size_t, counted *, ptrdiff_t, ptrdiff_t);
    void *context;
};
struct counted_reader {
    void (*tile)(void *, size_t, size_t, size_t, size_t, const counted *, ptrdiff_t, ptrdiff_t);
    void *context;
};
struct counted_hooks {
    const counted_tiles *prologue, *epilogue;
    const counted_reader *a, *b;
};
static void mx_sum_rows_f64(void *, size_t, size_t, size_t rows, size_t columns, const counted *, ptrdiff_t, ptrdiff_t) {
    operations += rows * columns;
}
static void mx_sum_columns_f64(void *, size_t, size_t, size_t rows, size_t columns, const counted *, ptrdiff_t, ptrdiff_t) {
    operations += rows * columns;
}
template <class coefficient>
static void mx_gemm_f64_hooked(size_t m, size_t n, size_t k, coefficient alpha, const counted *a, ptrdiff_t rsa,
                               ptrdiff_t csa, const counted *b, ptrdiff_t rsb, ptrdiff_t csb, counted beta, counted *c,
                               ptrdiff_t rsc, ptrdiff_t csc, void *work, const counted_hooks *hooks) {
    if (hooks->prologue)
        hooks->prologue->tile(hooks->prologue->context, 0, 0, m, n, c, rsc, csc);
    if (hooks->a)
        hooks->a->tile(hooks->a->context, 0, 0, m, k, a, rsa, csa);
    if (hooks->b)
        hooks->b->tile(hooks->b->context, 0, 0, k, n, b, rsb, csb);
    mx_gemm_f64(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, work);
    if (hooks->epilogue)
        hooks->epilogue->tile(hooks->epilogue->context, 0, 0, m, n, c, rsc, csc);
}
template <class coefficient>
static void mx_fixed_gemm_f64(size_t m, size_t n, size_t k, coefficient alpha, const counted *a, ptrdiff_t rsa,
                              ptrdiff_t csa, const counted *b, ptrdiff_t rsb, ptrdiff_t csb, counted beta, counted *c,
                              ptrdiff_t rsc, ptrdiff_t csc) {
    mx_gemm_f64(m, n, k, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc, nullptr);
}
/* Calls for whole matrices: to leading order, rounded up to whole coefficients. */
static void mx_nan_f64(counted *, size_t) {}
static void mx_factor_lu_f64(size_t n, const counted *, ptrdiff_t, ptrdiff_t, counted *, void *) { operations += n * n * n; }
static int mx_factor_cholesky_f64(size_t n, const counted *, ptrdiff_t, ptrdiff_t, counted *, ptrdiff_t, ptrdiff_t, void *) {
    operations += n * n * n;
    return MX_OK;
}
static int mx_solve_lu_f64(size_t n, size_t columns, int, const counted *, counted *, ptrdiff_t, ptrdiff_t, void *) {
    operations += 2 * n * n * columns;
    return MX_OK;
}
static int mx_solve_triangular_f64(size_t n, size_t columns, int, const counted *, ptrdiff_t, ptrdiff_t, counted *, ptrdiff_t,
                                   ptrdiff_t, void *) {
    operations += n * n * columns;
    return MX_OK;
}
static counted mx_factor_det_f64(size_t, const counted *) { return counted(1); }
static int mx_factor_logabsdet_f64(size_t, const counted *, counted *) { return MX_OK; }
static int mx_check_regular_f64(size_t, const counted *) { return MX_OK; }
static int mx_check_positive_f64(size_t, const counted *) { return MX_OK; }
#define double counted
#define mx_prologue_f64 counted_tiles
#define mx_epilogue_f64 counted_tiles
#define mx_reader_f64 counted_reader
#define mx_hooks_f64 counted_hooks
#define restrict __restrict
#include "%(c)s"
#undef double

int main() {
%(calls)s}
"""


def elementary():
    """Counting twins of what generated code calls, from the fields of ops.def."""
    with open(os.path.join(mx.ROOT, "gen", "graph", "ops.def")) as file:
        records = re.findall(r"^OP\((\w+),(.*?)\)\n(?=OP|\n|#|/|\Z)", file.read(), re.S | re.M)
    text = "static counted mx_times_f64(counted a, counted b) { return one(a.v * b.v); }\n"
    for name, body in records:
        c = re.search(r'\.c = "(\w+)"', body)
        called = c.group(1) if c else "mx_" + name
        called += "_f64" if called.startswith("mx_") else ""
        if "KIND_MAP" in body:
            letters = "abc"[:int(re.search(r"\.arity = (\d)", body).group(1))]
            text += (f"static counted {called}({', '.join('counted ' + x for x in letters)}) "
                     f"{{ return one({called}({', '.join(x + '.v' for x in letters)})); }}\n")
        each = re.search(r"\.flops = (\d+)", body)
        if "KIND_ALONG" in body and each:
            text += (f"static void {called}(size_t n, const counted *a, ptrdiff_t s, counted *y, ptrdiff_t t) "
                     f"{{ operations += n * {each.group(1)}; {called}(n, &a->v, s, &y->v, t); }}\n")
    return text


def count(shape, dims):
    total = 1
    for size in mx.shape_of({"shape": shape}, dims):
        total *= size
    return total


def call_of(function, dims):
    """One call of a function on numbers that are not whole."""
    body, arguments = "", [str(dims[d]) for d in function["dims"]] + ["0"] * len(function["indices"])
    for i in function["inputs"]:
        size = count(i["shape"], dims)
        values = f"v{len(arguments)}"
        body += f"    std::vector<counted> {values}({size} + 1);\n"
        body += f"    for (size_t i = 0; i < {size}; i++) {values}[i] = 0.3 + 0.4 * ((i * 7 + {len(arguments)}) % 11) / 11;\n"
        arguments.append(f"{values}.data()" if i["shape"] else f"{values}[0]")
    for o in function["outputs"]:
        values = f"v{len(arguments)}"
        body += f"    std::vector<counted> {values}({count(o['shape'], dims)} + 1);\n"
        arguments.append(f"{values}.data()")
    if function["saved"]:
        arguments.append("saved.data()")
    size = f"{function['name']}_worksize({', '.join(str(dims[d]) for d in function['dims'])})"
    body += f"    std::vector<char> work({size} + 1);\n    operations = 0;\n"
    body += f"    int status = {function['name']}({', '.join(arguments + ['work.data()'])});\n"
    return "    {\n" + body + f'    printf("{function["name"]} %d %llu\\n", status, operations);\n    }}\n'


def stats(path, *options):
    """Facts by function: {"affine_eval": {"flops": "2*m*n", …}}."""
    status, said = attempt([mx.MXC, QUIET, "--stats", *options, "-o", "/dev/null", path])
    if status != 0:
        raise mx.Failure(said)
    found, now = {}, None
    for line in said.splitlines():
        fact = re.fullmatch(r"  (\w+) +(.*)", line)
        if fact and now is not None:
            now[fact.group(1)] = fact.group(2)
        elif re.fullmatch(r"\w+", line):
            now = found.setdefault(line, {})
    return found


def value_of(polynomial, dims):
    return eval(polynomial.removesuffix(" bytes"), {"__builtins__": {}}, dict(dims))


def compare(tap, folder, path, effort):
    name = identifier(path) + effort.replace("-", "_")
    c = os.path.join(folder, name + ".c")
    mx.run([mx.MXC, QUIET, effort, "-o", c, path])
    write(folder, name + ".c", read(folder, name + ".c").replace(" ? ", " || true ? ").replace(" : 0.0)", " : counted(0))"))
    functions = json.loads(mx.run([mx.MXC, QUIET, effort, "--emit=json", path]))["functions"]
    names = sorted({d for f in functions for d in f["dims"]})
    sizes = re.search(r"^#: sizes ([^;\n]*)", open(path).read(), re.M)
    dims = {d: 2 + i % 4 for i, d in enumerate(names)}
    dims.update((d, int(n)) for d, n in re.findall(r"(\w+)=(\d+)", sizes.group(1) if sizes else ""))
    calls = "    std::vector<char> saved(1 << 20);\n" + "".join(call_of(f, dims) for f in functions)
    source = write(folder, name + ".cc", COUNTING % {"functions": elementary(), "c": os.path.basename(c), "calls": calls})
    program = os.path.join(folder, name)
    mx.run(["g++", "-std=c++17", "-O0", "-w", "-fpermissive", "-I", RUNTIME, source, os.path.join(mx.BUILD, "libmxrt.a"), "-o", program])
    said = mx.run([program]).decode()
    counted = {name: int(operations) for name, operations in re.findall(r"^(\w+) 0 (\d+)$", said, re.M)}
    said = stats(path, effort)
    dims = {d: dims[d] for d in names}
    wrong = [f"{f}: {said[f]['flops']} = {value_of(said[f]['flops'], dims)}, counted {counted[f]}" for f in counted
             if value_of(said[f]["flops"], dims) != counted[f]]
    tap.ok(set(counted) == set(said) and not wrong, f"{os.path.basename(path)} {effort}: flops as counted", "\n".join(wrong))


def flops(tap, folder):
    """Every program of tests/calculus at one level or another, and the diverse ones at all."""
    for i, path in enumerate(CALCULUS):
        if "real f32" in open(path).read():
            continue
        every = os.path.basename(path)[:-3] in ("attention", "layernorm", "logistic", "mlp-abstract", "prod", "kink-max", "hessians")
        for effort in ("-O0", "-O1", "-O2") if every else (f"-O{2 - i % 3}",):
            try:
                compare(tap, folder, path, effort)
            except (mx.Failure, KeyError, ValueError) as error:
                tap.ok(False, f"{os.path.basename(path)} {effort}: flops as counted", str(error)[:3000])


# Programs that look cubic and cost O(n^2), and those that are: the degree in n of the flops of the last function.
DEGREES = (
    ("f = trace(A @ B)", 2), ("f = trace(A @ B)\ngrad f wrt A, B", 2),
    ("f = sum(A @ B)", 2), ("f = sum(A @ B)\ngrad f wrt A, B", 2),
    ("f = x' @ A @ B @ y", 2), ("f = x' @ A @ B @ y\ngrad f wrt A, B, x, y", 2),
    ("k = diag(A @ B)", 2), ("k = diag(A @ B)\nvjp k wrt A, B", 2), ("k = diag(A @ B)\njvp k wrt A, B", 2),
    ("R = diag(x) @ A", 2), ("R = diag(x) @ A\nvjp R wrt x, A", 2), ("f = sum(diag(x) @ A)\ngrad f wrt x, A", 2),
    ("f = sumsq(A @ x - y)\ngrad f wrt A, x", 2), ("f = sumsq(A @ x - y)\nhvp f wrt x", 2),
    ("f = trace(outer(x, y) @ A)\ngrad f wrt x, y, A", 2), ("R = outer(x, y) @ A", 2),
    ("r = outer(x, y) @ A @ x", 2), ("f = inner(A, outer(x, y))", 2),
    ("f = dot(x, y)\ngrad f wrt x, y", 1), ("f = sum(outer(x, y))", 1),
    ("R = A @ B", 3), ("f = trace(A @ B @ A)", 3), ("f = sumsq(A @ B)", 3),
)


def degree(polynomial):
    return max(term.count("n") for term in polynomial.removesuffix(" bytes").split(" + "))


def degrees(tap, folder):
    for i, (program, expected) in enumerate(DEGREES):
        path = write(folder, f"degree{i}.mx", "A: [n, n]\nB: [n, n]\nx: [n]\ny: [n]\n" + program + "\n")
        for effort in ("-O1", "-O2"):
            last = list(stats(path, effort).values())[-1]
            tap.ok(degree(last["flops"]) == expected, f"{program!r} {effort}: O(n^{expected}) operations", last)
            tap.ok(degree(last["moved"]) <= 2, f"{program!r} {effort}: moves O(n^2) bytes", last)


# Worked out by hand: bytes that each kernel reads and writes, the workspace, what is saved, nodes.
MOVED = (
    ("A: [n, n]\nf = trace(A)", "8*n + 8 bytes", "0 bytes"),                        # the diagonal, f
    ("X: [m, n]\nY = exp(X)", "16*m*n bytes", "0 bytes"),
    ("X: [m, n]\nY = X + X'", None, None),                                           # an error: m is not n
    ("A: [n, n]\nY = A + A'", "16*n*n bytes", "0 bytes"),                           # A is read once
    ("real f32\nX: [m, n]\nr = sum(X, axis=1)", "4*m*n + 4*m bytes", "0 bytes"),
    ("X: [m, n]\nr = sum(X, axis=0)", "8*m*n + 24*n bytes", "0 bytes"),             # set to 0, then read and written
    ("X: [m, n]\nW: [n, p]\nY = X @ W", "8*m*n + 8*m*p + 8*n*p bytes", "0 bytes, and what its calls ask for"),
    ("X: [m, n]\nW: [n, p]\nY = exp(X @ W)", "8*m*n + 8*m*p + 8*n*p bytes",    # exp of each tile
     "0 bytes, and what its calls ask for"),
    ("X: [m, n]\ns: scalar\nY = s * X", "16*m*n bytes", "0 bytes"),                  # s comes by value
    ("dim n = 3\nx: [n]\nY = outer(x, x) + exp(outer(x, x))", "96 bytes", "0 bytes"),    # outer(x, x) stays in a register
)


def moved(tap, folder):
    for i, (program, expected, workspace) in enumerate(MOVED):
        path = write(folder, f"moved{i}.mx", program + "\n")
        if expected is None:
            status, said = attempt([mx.MXC, "--stats", "-o", "/dev/null", path])
            tap.ok(status == 1 and "flops" not in said, f"{program!r}: no statistics beside an error", said)
            continue
        facts = list(stats(path).values())[-1]
        same(tap, f"{program!r}: bytes moved", facts["moved"], expected)
        same(tap, f"{program!r}: workspace", facts["workspace"], workspace)


def numbers(tap, folder):
    """Fixed dimensions, too large for straight code, give the polynomial's value; forward says what it saves."""
    path = write(folder, "mlp.mx", "H = tanh(X @ W + b); Y = H @ V\ngrad L wrt W, V, b\n")
    dims = {"X_rows": 35, "X_cols": 34, "W_cols": 33, "V_cols": 36}
    open_, fixed = stats(path), stats(path, *[f"-D{d}={n}" for d, n in dims.items()])
    same(tap, "what is saved: H", open_["mlp_forward"]["saved"], "8*X_rows*W_cols bytes")
    for function, facts in open_.items():
        for fact in ("flops", "moved", "saved"):
            same(tap, f"{function}: {fact} in numbers", value_of(fixed[function][fact], {}), value_of(facts[fact], dims))
    path = write(folder, "fixed.mx", "dim n = 5\nx: [n]\nr = exp(x) @ outer(x, x)\n")
    facts = stats(path, "-O0")["fixed_eval"]
    tap.ok(re.fullmatch(r"\d+ bytes.*", facts["workspace"]) and re.fullmatch(r"\d+", facts["flops"]),
           "all fixed: all numbers", facts)


CASES = (flops, degrees, moved, numbers)
