"""The one-line program of abi.md: its prototypes, its numbers, its code, what it says of itself."""
import json
import os
import re

from common import AFFINE, CALCULUS, LIBRARY, QUIET, RUNTIME, Library, calculus, generate, identifier, mx
from common import read, same, works, write

PROTOTYPES = """
size_t affine_forward_worksize(size_t Z_rows, size_t Z_cols, size_t W_cols);
size_t affine_forward_savedsize(size_t Z_rows, size_t Z_cols, size_t W_cols);
int affine_forward(size_t Z_rows, size_t Z_cols, size_t W_cols,
                   const double *Z, const double *W, const double *b,
                   double *A, void *saved, void *work);
size_t affine_backward_worksize(size_t Z_rows, size_t Z_cols, size_t W_cols);
int affine_backward(size_t Z_rows, size_t Z_cols, size_t W_cols,
                    const double *Z, const double *W, const double *dL_dA,
                    double *dL_dW, double *dL_dZ, double *dL_db, const void *saved, void *work);
"""


ROLES = {"backward": "cotangent", "vjp": "cotangent", "jvp": "tangent", "hvp": "tangent"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text)


def declarations(header):
    """Everything between the C++ brackets that is not a comment."""
    return re.search(r'extern "C" {\n#endif\n(.*)#ifdef __cplusplus\n}\n#endif', without_comments(header), re.S).group(1)


def function_text(c, name):
    """The body of a function's definition."""
    return re.search(rf"^\w+ {name}\([^)]*\) {{\n(.*?)^}}", c, re.S | re.M).group(1)


def prototypes(tap, folder):
    c, h = generate(folder, AFFINE, "affine")
    same(tap, "affine: the header declares what abi.md shows, token for token, and nothing else",
         tokens(declarations(read(folder, "affine.h"))), tokens(PROTOTYPES))
    for real in ("f32",):
        generate(folder, AFFINE, "affine", ["--real=" + real])
        same(tap, "affine --real=f32: the same with float", tokens(declarations(read(folder, "affine.h"))),
             tokens(PROTOTYPES.replace("double", "float")))


def by_hand(tap, folder):
    """Z' dL/dA, dL/dA W' and the column sums of dL/dA, worked out on paper."""
    affine = Library(folder, AFFINE, "affine")
    dims = {"Z_rows": 2, "Z_cols": 2, "W_cols": 2}
    inputs = {"Z": [[1, 2], [3, 4]], "W": [[5, 6], [7, 8]], "b": [9, 10], "dL_dA": [[1, 2], [3, 4]]}
    values, gradients = affine.forward_backward(dims, inputs)
    got = {name: value.tolist() for name, value in {**values, **gradients}.items()}
    same(tap, "2x2 by hand: A", got["A"], [[28, 32], [52, 60]])
    same(tap, "2x2 by hand: dL_dW", got["dL_dW"], [[10, 14], [14, 20]])
    same(tap, "2x2 by hand: dL_dZ", got["dL_dZ"], [[17, 23], [39, 53]])
    same(tap, "2x2 by hand: dL_db", got["dL_db"], [4, 6])
    dims = {"Z_rows": 1, "Z_cols": 2, "W_cols": 3}
    inputs = {"Z": [[1, 2]], "W": [[1, 2, 3], [4, 5, 6]], "b": [10, 20, 30], "dL_dA": [[1, 10, 100]]}
    values, gradients = affine.forward_backward(dims, inputs)
    got = {name: value.tolist() for name, value in {**values, **gradients}.items()}
    same(tap, "1x2x3 by hand", got, {"A": [[19, 32, 45]], "dL_dW": [[1, 10, 100], [2, 20, 200]],
                                     "dL_dZ": [[321, 654]], "dL_db": [1, 10, 100]})


def backward_code(tap, folder):
    generate(folder, AFFINE, "affine")
    c = without_comments(read(folder, "affine.c"))
    body = function_text(c, "affine_backward")
    calls = [[re.sub(r"\s+", " ", part.strip()) for part in call.split(",")]
             for call in re.findall(r"mx_gemm_f64(?:_hooked)?\((.*?)\);", body, re.S)]
    pitch = lambda name: "(ptrdiff_t)" + name
    expected = {
        "dL_dW": ["Z_cols", "W_cols", "Z_rows", "1.0", "Z", "1", pitch("Z_cols"), "dL_dA", pitch("W_cols"), "1", "0.0",
                  "dL_dW", pitch("W_cols"), "1", "work", "&hooks"],
        "dL_dZ": ["Z_rows", "Z_cols", "W_cols", "1.0", "dL_dA", pitch("W_cols"), "1", "W", "1", pitch("W_cols"), "0.0",
                  "dL_dZ", pitch("Z_cols"), "1", "work"]}
    same(tap, "affine_backward: two products, a transposed operand is one with its strides swapped",
         sorted(calls), sorted(expected.values()))
    stored = re.findall(r"^\s*(\w+)\[.*?\] (\S*=) ", body, re.M)
    same(tap, "affine_backward: a loop sets dL_db, nothing else", sorted(stored), [("dL_db", "=")])
    same(tap, "affine_backward: the bias is summed by the product that reads its cotangent by rows",
         re.findall(r"(mx_sum_\w+, \w+)};\s*const mx_hooks_f64 hooks = {(.*?)};", body), [("mx_sum_columns_f64, dL_db", ".b = &sums")])
    tap.ok(not re.search(r"\b(work\d|saved\d|t\d|memcpy|memset)\b", body), "affine_backward: no temporary, no copy", body)
    sizes = function_text(c, "affine_backward_worksize") + function_text(c, "affine_forward_worksize")
    tap.ok("slots" not in sizes and "bytes" not in sizes, "affine: the workspace is that of the products only", sizes)
    same(tap, "affine: nothing is saved",
         re.findall(r"return (.*?);", function_text(c, "affine_forward_savedsize")), ["0"])


ARGUMENT = {"name", "shape", "structure"}


def facts(tap, folder):
    generate(folder, AFFINE, "affine")
    got = json.loads(mx.run([mx.MXC, QUIET, "--emit=json", os.path.join(folder, "affine.mx")]))
    argument = lambda name, *shape: {"name": name, "shape": list(shape), "structure": "dense"}
    output = lambda name, formula, *shape: {"name": name, "shape": list(shape), "formula": formula}
    dims = ["Z_rows", "Z_cols", "W_cols"]
    Z, W = argument("Z", "Z_rows", "Z_cols"), argument("W", "Z_cols", "W_cols")
    expected = {
        "mxc": mx.run([mx.MXC, "--version"]).decode().split()[1], "abi": 1, "module": "affine", "source": "affine.mx",
        "real": "f64",
        "functions": [
            {"name": "affine_forward", "kind": "forward", "dims": dims, "indices": [],
             "inputs": [Z, W, argument("b", "W_cols")], "outputs": [output("A", "Z @ W + b", "Z_rows", "W_cols")],
             "saved": True, "flops": "2*Z_rows*Z_cols*W_cols + Z_rows*W_cols"},
            {"name": "affine_backward", "kind": "backward", "dims": dims, "indices": [],
             "inputs": [Z, W, {**argument("dL_dA", "Z_rows", "W_cols"), "role": "cotangent"}],
             "outputs": [output("dL_dW", "Z' @ dL_dA", "Z_cols", "W_cols"),
                         output("dL_dZ", "dL_dA @ W'", "Z_rows", "Z_cols"),
                         output("dL_db", "sum(dL_dA, axis=0)", "W_cols")],
             "saved": True, "flops": "4*Z_rows*Z_cols*W_cols + Z_rows*W_cols"}]}
    same(tap, "affine --emit=json: as abi.md says, key by key", got, expected)


def facts_of_others(tap, folder):
    source = ("dim n = 3\nX: [m, n]\ny: [m]\nw: [n]\ns: scalar\nr: row [n]\n"
              "f = s * sumsq(X @ w - y) + r @ w\ngrad f wrt w, s\n")
    path = write(folder, "fixed.mx", source)
    got = json.loads(mx.run([mx.MXC, "--real=f32", "--emit=json", path]))
    same(tap, "json: an element type that is asked for", got["real"], "f32")
    functions = {f["name"]: f for f in got["functions"]}
    same(tap, "json: a grad comes with eval", {n: f["kind"] for n, f in functions.items()},
         {"fixed_eval": "eval", "fixed_grad_f": "grad"})
    shapes = {i["name"]: i["shape"] for f in got["functions"] for i in f["inputs"] + f["outputs"]}
    same(tap, "json: fixed dimensions are numbers, open ones names, a scalar has none", shapes,
         {"X": ["m", 3], "y": ["m"], "w": [3], "s": [], "r": [3], "f": [], "df_dw": [3], "df_ds": []})
    same(tap, "json: eval and grad have no saved argument", [f["saved"] for f in got["functions"]], [False, False])
    same(tap, "json: fixed dimensions are no arguments", [f["dims"] for f in got["functions"]], [["m"], ["m"]])


TABLE = r"""
#include "%(name)s.h"
#include <stdio.h>
static void arguments(const char *title, int count, const mx_argument *at) {
    printf("\"%%s\": [", title);
    for (int i = 0; i < count; i++) {
        printf("%%s{\"name\": \"%%s\", \"role\": \"%%s\", \"structure\": \"%%s\", \"shape\": [", i ? "," : "", at[i].name,
               at[i].role, at[i].structure);
        for (int k = 0; k < at[i].rank; k++)
            printf("%%s\"%%s\"", k ? "," : "", at[i].shape[k]);
        printf("]}");
    }
    printf("], ");
}
int main(void) {
    const mx_module *m = &%(name)s_module;
    printf("{\"module\": \"%%s\", \"source\": \"%%s\", \"real\": \"%%s\", \"abi\": %%d, \"functions\": [", m->name, m->source,
           m->real, m->abi);
    for (int i = 0; i < m->n_functions; i++) {
        const mx_function *f = &m->functions[i];
        printf("%%s{\"name\": \"%%s\", \"kind\": \"%%s\", \"dims\": [", i ? "," : "", f->name, f->kind);
        for (int k = 0; k < f->n_dims; k++)
            printf("%%s\"%%s\"", k ? "," : "", f->dims[k]);
        printf("], ");
        arguments("inputs", f->n_inputs, f->inputs);
        arguments("outputs", f->n_outputs, f->outputs);
        printf("\"sizes\": %%d, \"calls\": %%d}", f->savedsize != NULL, f->worksize && f->call);
    }
    printf("]}\n");
    return 0;
}
"""


def as_table(facts):
    """What --emit=json says, in the form of the reflection table."""
    def argument(a, role):
        return {"name": a["name"], "role": a.get("role", role), "structure": a.get("structure", "dense"),
                "shape": [str(size) for size in a["shape"]]}
    return {"module": facts["module"], "source": facts["source"], "real": facts["real"], "abi": facts["abi"],
            "functions": [{"name": f["name"], "kind": f["kind"], "dims": f["dims"],
                           "inputs": [argument(a, "input") for a in f["inputs"]],
                           "outputs": [argument(a, "output") for a in f["outputs"]],
                           "sizes": int(f["kind"] == "forward"), "calls": 1} for f in facts["functions"]]}


def reflection(tap, folder):
    for case, options in (("affine", []), ("kinds", []), ("fixed", ["--real=f32"]), ("mlp-abstract", []),
                          ("reductions-all", []), ("names", [])):
        source = open(calculus(case)).read()
        name = identifier(case + ".mx")
        c, _ = generate(folder, source, name, ["--reflect", *options])
        main = write(folder, "table.c", TABLE % {"name": name})
        program = os.path.join(folder, name + "_table")
        if not works(tap, f"{case} --reflect: compiles into a program that prints its table",
                     ["gcc", *mx.STRICT, "-I", RUNTIME, main, c, LIBRARY, "-lm", "-o", program]):
            continue
        facts = json.loads(mx.run([mx.MXC, QUIET, *options, "--emit=json", os.path.join(folder, name + ".mx")]))
        same(tap, f"{case} --reflect: the table says what the JSON says", json.loads(mx.run([program])), as_table(facts))


def every_json(tap, folder):
    """The keys are those of abi.md in every program, and the values have their types."""
    for path in CALCULUS:
        facts, wrong = json.loads(mx.run([mx.MXC, QUIET, "--emit=json", path])), []
        if set(facts) != {"mxc", "abi", "module", "source", "real", "functions"}:
            wrong.append(sorted(facts))
        for f in facts["functions"]:
            if set(f) - {"tensors"} != {"name", "kind", "dims", "indices", "inputs", "outputs", "saved", "flops"}:
                wrong.append(sorted(f))
            wrong += [t for t in f.get("tensors", []) if set(t) - {"layout"} != {"name", "structure"}]
            wrong += [f["kind"]] * ("tensors" in f and f["kind"] not in ("jac", "hess"))
            known = set(f["dims"])
            for a in f["inputs"] + f["outputs"]:
                keys = set(a) - {"role"}
                structured = {"structure"} if a.get("structure", "dense") != "dense" else set()
                wrong += [a] * (keys != (ARGUMENT if a in f["inputs"] else {"name", "shape", "formula"} | structured))
                wrong += [a] * ("role" in a and a["role"] != ROLES.get(f["kind"]))
                wrong += [a] * (not all(type(s) is int or set(re.findall(r"[A-Za-z_]\w*", s)) <= known and s
                                        for s in a["shape"]))
                wrong += [a] * (any(type(s) is str and s.isdigit() for s in a["shape"]))
            wrong += [f["flops"]] * (not set(re.findall(r"[A-Za-z_]\w*", f["flops"])) <= known)
        tap.ok(not wrong, f"{os.path.basename(path)}: JSON has the keys of abi.md, sizes in the function's dimensions", wrong)


CASES = (prototypes, by_hand, backward_code, facts, facts_of_others, reflection, every_json)
