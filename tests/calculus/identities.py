#!/usr/bin/python3
"""The identities of identities.tsv: each program's derivative against the listed formula, at random rectangular values.

In the formulas every value is a matrix: a vector a column, a row a row; .T transposes, @ multiplies, * is elementwise. A
program that uses what this version does not have yet (error E0401 and no other) is listed as a comment."""
import os
import re
import subprocess
import sys
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"m": 5, "n": 4, "p": 3, "k": 2}
AT_LEAST = 100  # programs that run in this version


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


FORMULA = {
    "np": np, "dot": lambda a, b: np.sum(a * b), "tr": np.trace, "inv": np.linalg.inv, "det": np.linalg.det, "I": np.eye,
    "ones": lambda *s: np.ones(s), "sum_": np.sum, "rowsum": lambda x: x.sum(axis=1, keepdims=True),
    "colsum": lambda x: x.sum(axis=0, keepdims=True), "norm2": np.linalg.norm, "softmax": softmax,
    "sigm": lambda x: 1 / (1 + np.exp(-x)), "kron": np.kron, "mpow": np.linalg.matrix_power, "sign": np.sign,
    "relu": lambda x: np.maximum(x, 0), "step": lambda x: (x > 0) * 1.0, "abs_": np.abs, "S": lambda x: float(np.sum(x)),
    "M": np.array, "vcat": lambda *a: np.vstack(a), "cols": lambda x, a, b: x[:, a:b], "tril": np.tril,
    "diag": lambda x: np.diag(np.ravel(x)), "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos,
    "tanh": np.tanh, "sum": sum, "range": range, "float": float,
}


def identities():
    with open(os.path.join(HERE, "identities.tsv")) as file:
        for line in file:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def later(source):
    """Does the program use only what is to come? Then mxc says so, and nothing else."""
    with mx.workspace() as folder:
        path = os.path.join(folder, "identity.mx")
        with open(path, "w") as file:
            file.write(source)
        done = subprocess.run([mx.MXC, "-o", "-", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        codes = set(re.findall(rb"error\[(E\d+)\]", done.stderr))
        return codes == {b"E0401"}


def as_matrix(value, argument, rows):
    """How the formulas see a value: a scalar, a column, a row."""
    if value.ndim == 0:
        return float(value)
    if argument["structure"] == "diagonal":
        return np.diag(value)
    if argument["structure"] in ("lower", "upper"):
        return np.where(np.isnan(value), 0, value)
    return value if value.ndim == 2 else value.reshape((1, -1) if argument["name"] in rows else (-1, 1))


def values_of(module, source, dims, rng):
    """Random inputs that every formula is defined at: positive where a logarithm or root is taken of them."""
    positive = re.search(r"\b(log|sqrt)\((X|A)", source) is not None
    inputs = {}
    for function in module.facts["functions"]:
        for argument in function["inputs"]:
            shape = mx.shape_of(argument, dims)
            value = rng.uniform(0.5, 1.5, shape) if positive else rng.standard_normal(shape)
            value = (mx.into_space if argument.get("role") else mx.structured)(value, argument["structure"])
            inputs.setdefault(argument["name"], np.asarray(value))
    return inputs


def program_text(source):
    return source.replace(" | ", "\n") + "\n"


def fixed_dims(lines):
    return {n: int(v) for n, v in re.findall(r"(\w+) = (\d+)", "".join(re.findall(r"^dim .*", lines, re.M)))}


def of_distributions(origin):
    """Does the formula hold only for targets that are distributions, which the program does not say?"""
    return "cross-entropy" in origin


def inputs_of(module, origin, source, dims):
    inputs = values_of(module, source, dims, np.random.default_rng(zlib.crc32(source.encode())))
    if of_distributions(origin):
        inputs["T"] = np.abs(inputs["T"]) / np.abs(inputs["T"]).sum(axis=1, keepdims=True)
    return inputs


def scope_of(module, lines, sizes, inputs):
    """What a formula's names mean: every value a matrix or a number."""
    functions, rows = module.facts["functions"], set(re.findall(r"^(\w+): row", lines, re.M))
    scope = {**sizes, **fixed_dims(lines)}
    scope.update({a["name"]: as_matrix(inputs[a["name"]], a, rows) for f in functions for a in f["inputs"]})
    tangent = [scope[i["name"]] for i in functions[-1]["inputs"] if i.get("role") == "tangent"]
    scope.update({"V": tangent[0]} if tangent else {})
    scope.update({name + "_": scope[name] for name in inputs if name in FORMULA})  # a name that a formula's function has
    missing = [d for d in re.findall(r"^(\w+): (?:row )?\[", lines, re.M) if d not in scope]
    for name in missing:  # inputs that no function reads
        shape = re.search(rf"^{name}: (row )?\[(.*)\]", lines, re.M)
        size = [eval(part, {}, scope) for part in shape.group(2).split(",")]
        scope[name] = np.ones(size if len(size) == 2 else (1, size[0]) if shape.group(1) else (size[0], 1))
    return scope


def gap_of(value, output, expected):
    """How far an output is from what a formula gave."""
    if output.get("structure") == "diagonal" and value.ndim == 1:
        value = np.diag(value)
    return mx.difference(value.reshape(expected.shape) if value.size == expected.size else value, expected)


def check(tap, number, origin, source, formula):
    label, lines = f"identity {number} ({origin}): {formula[:60]}", program_text(source)
    with mx.workspace() as folder:
        module = mx.Module(folder, lines, name="identity")
        function = module.facts["functions"][-1]
        dims = {d: SIZES[d] for d in function["dims"]}
        inputs = inputs_of(module, origin, source, dims)
        got = module.call(module.build("gcc", ("-O1",)), [function["name"]], dims, inputs)[0]
        output = function["outputs"][-1]
        expected = np.asarray(eval(formula, {**FORMULA, **scope_of(module, lines, SIZES, inputs)}))
        gap, where = gap_of(got[output["name"]], output, expected)
        tap.ok(gap <= 1e-10, label, f"off by {gap:.3g} {where}\n{lines}")


def main():
    tap, count = mx.Tap(), 0
    for number, origin, source, formula in identities():
        try:
            if later(program_text(source)):
                print(f"# identity {number} uses what is not supported yet: {source}", flush=True)
                continue
            count += 1
            check(tap, number, origin, source, formula)
        except Exception as error:
            tap.ok(False, f"identity {number} runs", f"{type(error).__name__}: {error}\n{source}\n{formula}")
    tap.ok(count >= AT_LEAST, f"at least {AT_LEAST} identities run", count)
    tap.done()


if __name__ == "__main__":
    main()
