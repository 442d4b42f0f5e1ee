#!/usr/bin/python3
"""The identities of identities.tsv, at random values and sizes that all differ, each judged three ways:

  formula       the requested derivative against the listed formula. In the formulas every value is a matrix: a vector a
                column, a row a row; .T transposes, @ multiplies, * is elementwise
  PyTorch       every output against the program's own statements in PyTorch (tests/harness/torch_program.py), in double
  differences   every derivative against central differences of the generated value, or of the generated gradient

Shapes are rectangular wherever the program allows it: without the declarations of its dense inputs mxc infers no more
dimensions than it has with them. A program that uses what this version does not have yet (error E0401 and no other) is listed
as a comment; so is every row that one of the ways cannot judge."""
import json
import os
import re
import subprocess
import sys
import zlib

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx
import run
import torch_program

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = {"m": 5, "n": 4, "p": 3, "k": 2}
AT_LEAST = 150  # programs that run in this version
WAYS = ("formula", "PyTorch", "differences")
NOT_JUDGED = 0  # rows that one of the ways cannot judge
SQUARE = 1  # rows whose formula holds only for square matrices where the program allows others
NOT_INFERRED = 1  # rows whose shapes follow from their declarations alone


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


class Row:
    """One identity: its program compiled and called."""

    def __init__(self, folder, number, origin, source, formula):
        self.label, self.origin, self.formula = f"identity {number}", origin, formula
        self.lines = program_text(source)
        self.module = mx.Module(folder, self.lines, name="identity")
        self.functions = self.module.facts["functions"]
        self.dims = {d: SIZES[d] for f in self.functions for d in f["dims"]}
        self.inputs = inputs_of(self.module, origin, source, self.dims)
        self.program = self.module.build("gcc", ("-O1",))
        self.results = self.module.call(self.program, [f["name"] for f in self.functions], self.dims, self.inputs)


def check_formula(tap, row):
    output = row.functions[-1]["outputs"][-1]
    expected = np.asarray(eval(row.formula, {**FORMULA, **scope_of(row.module, row.lines, SIZES, row.inputs)}))
    gap, where = gap_of(row.results[-1][output["name"]], output, expected)
    tap.ok(gap <= 1e-10, f"{row.label} ({row.origin}): {row.formula[:60]}", f"off by {gap:.3g} {where}\n{row.lines}")


def tensors_of(row):
    """Inputs, and what is declared and not read, as PyTorch's variables; what is promised to be unread is 0."""
    arrays = {name: np.where(np.isnan(value), 0, value) for name, value in row.inputs.items()}
    sizes = {**SIZES, **fixed_dims(row.lines)}
    for name, shape in re.findall(r"^(\w+): \w* ?\[(.*)\]", row.lines, re.M):
        arrays.setdefault(name, np.ones([eval(size, {}, sizes) for size in shape.split(",")]))
    return {name: torch.tensor(value, requires_grad=True) for name, value in arrays.items()}


def check_torch(tap, row):
    tensors = tensors_of(row)
    scope = {**tensors, **torch_program.values(row.lines, tensors, {**SIZES, **fixed_dims(row.lines)})}
    case = run.Case(row.module.path)
    for function, got in zip(row.functions, row.results):
        expected = run.expected_outputs(case, row.module, function, tensors, scope)
        tap.ok(set(expected) == set(got), f"{row.label}: every output has its expected value", set(got) - set(expected))
        run.check_oracle(tap, case, row.label, function, got, expected, 1e-10)


def check_differences(tap, row):
    rng = np.random.default_rng(zlib.crc32(row.lines.encode()))
    for function in row.functions:
        run.check_differences(tap, None, row.label, row.module, row.program, function, row.inputs, row.dims, rng)


def undeclared(lines):
    """The program without the declarations that names and operators imply, and with no dimension fixed or named."""
    def is_implied(line):
        name = re.match(r"([A-Z]\w*): \[[^\d,]+,[^\d,]+\]$|([a-z]\w*): \[[^\d,]+\]$", line)
        return name and re.search(rf"= .*\b{name.group(1) or name.group(2)}\b", lines)

    kept = [line for line in lines.splitlines() if not line.startswith("dim ") and not is_implied(line)]
    return "".join(re.sub(r"\b[mnpk]\b", "1", line) + "\n" if " = " in line else line + "\n" for line in kept)


def is_rectangular(folder, row):
    """Do all sizes differ, and are there as many dimensions as mxc infers? None: it cannot infer them."""
    path = os.path.join(folder, "undeclared.mx")
    with open(path, "w") as file:
        file.write(undeclared(row.lines))
    done = subprocess.run([mx.MXC, "--emit=json", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode:
        return None
    sizes = {**row.dims, **fixed_dims(row.lines)}
    inferred = {d for f in json.loads(done.stdout)["functions"] for d in f["dims"]}
    return len(set(sizes.values())) == len(sizes) >= len(inferred)


def judge(tap, row, judged):
    """All ways; a way that compares nothing, or lacks a function, has not judged."""
    for way, check in zip(WAYS, (check_formula, check_torch, check_differences)):
        before = tap.count
        try:
            check(tap, row)
        except torch_program.Untranslated as error:
            print(f"# {row.label}: {error}", flush=True)
        judged[way] += tap.count > before
        if tap.count == before:
            print(f"# {row.label} is not judged by {way}", flush=True)


def summarise(tap, count, shapes, judged):
    tap.ok(count >= AT_LEAST, f"at least {AT_LEAST} identities run", count)
    for way in WAYS:
        tap.ok(count - judged[way] <= NOT_JUDGED, f"{way} judges {judged[way]} of {count} identities")
    for is_found, most, text in ((False, SQUARE, "a square matrix that need not be one"),
                                 (None, NOT_INFERRED, "shapes that are not inferred")):
        found = [source for source, is_rectangular in shapes if is_rectangular is is_found]
        print("\n".join(f"# {text}: {source}" for source in found), flush=True)
        tap.ok(len(found) <= most, f"{len(found)} of {count} identities have {text}")
    tap.done()


def main():
    tap, count, shapes, judged = mx.Tap(), 0, [], dict.fromkeys(WAYS, 0)
    for number, origin, source, formula in identities():
        try:
            if later(program_text(source)):
                print(f"# identity {number} uses what is not supported yet: {source}", flush=True)
                continue
            count += 1
            with mx.workspace() as folder:
                row = Row(folder, number, origin, source, formula)
                judge(tap, row, judged)
                shapes.append((source, is_rectangular(folder, row)))
        except Exception as error:
            tap.ok(False, f"identity {number} runs", f"{type(error).__name__}: {error}\n{source}\n{formula}")
    summarise(tap, count, shapes, judged)


if __name__ == "__main__":
    main()
