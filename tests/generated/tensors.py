"""Products of tensors: calls of the runtime's matrix product in loops, or loop nests where those would be tiny."""
import os
import re

import numpy as np

from common import calculus, generate, mx, near, same

LAYERS = "X: [m, n]\nW: [n, p]\nV: [p, q]\nY = tanh(X @ W) @ V\nf = sumsq(Y)\njac Y wrt X\nhess f wrt W\n"
LOOPED = re.compile(r"( +)for \(size_t (\w+) = 0; [^\n]*\{\n +mx_gemm_f64\(([^;]*)\);")


def loops_around(tap, folder):
    """The inner product is as large as strides allow; each array begins where its loop says."""
    text = open(generate(folder, LAYERS)[0]).read()
    found = {tuple(" ".join(call.split()).split(", ")[:3]): (loop, call) for _, loop, call in LOOPED.findall(text)}
    for sizes, arrays in ((("q", "n", "p"), 2), (("n", "n * p", "m"), 3)):
        loop, call = found.get(sizes, ("?", ""))
        tap.ok(sizes in found, f"a product of {', '.join(sizes)} in a loop", sorted(found))
        same(tap, f"a product of {', '.join(sizes)}: arrays that the loop moves through", call.count(f" + {loop}"), arrays)
    tap.ok(not re.search(r"sum_\w+ \+= \w+\[[^;]*\] \* \w+\[", text.split("_jac_Y(", 2)[-1].split("_hess_f")[0]),
           "no product is summed element by element", text)


def one_call(tap, folder):
    """Axes that lie in memory like one are one: the Hessian of a softmax regression is one product."""
    text = open(generate(folder, open(calculus("tensor-softmax")).read())[0]).read()
    call = re.search(r"\n    \{\n(?: +double[^\n]*\n)+ +/\* d2f_dW_dW = [^\n]*\n +mx_gemm_f64\(([^,]*, [^,]*, [^,]*),", text)
    same(tap, "the Hessian of a softmax regression: one call", call and call.group(1), "i, i * c * c, s")


def tiny(tap, folder):
    """With all sizes 2 a call costs more than its product: a loop nest gives the same."""
    fixed = [text for d in "mnpq" for text in ("-D", f"{d}=2")]
    rng, results = np.random.default_rng(5), []
    inputs = {name: rng.standard_normal((2, 2)) for name in "XWV"}
    for name, options in (("open", []), ("fixed", fixed)):
        module = mx.Module(os.path.join(folder, name), LAYERS, options)
        calls = [f for f in module.functions() if "jac" in f or "hess" in f]
        looped = LOOPED.findall(open(module.c).read())
        tap.ok(bool(looped) == (name == "open"), f"sizes {name}: calls in loops where they pay", looped)
        results.append(module.call(module.build("clang", ("-O2",)), calls, dict.fromkeys("mnpq", 2), inputs))
    for first, second in zip(*results):
        for name, value in first.items():
            near(tap, f"{name}: fixed sizes give the same", second[name], value)


CASES = (loops_around, one_call, tiny)
