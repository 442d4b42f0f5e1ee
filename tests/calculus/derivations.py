#!/usr/bin/python3
"""The formulas that --emit=derivation prints for the programs of identities.tsv, against the formulas listed there.

The printed text itself is evaluated (tests/harness/formula.py), at sizes that differ and are large enough for the leading
orders to decide. Its value must be that of the listed formula, and where the listed one is a plain matrix expression, it
must take no more operations. Both are counted by one counter, equal subexpressions once. Allowed are 2 % and a few
operations for each row and column: lower orders, in which texts of one formula differ. Formulas that hold only under an
assumption which the program does not state are compared in value alone."""
import ast
import os
import re
import sys

import numpy as np

import identities
from identities import mx
from formula import Count, FormulaError, Scope

# n is the largest: identities 30 and 33 are one function, of an inverse between factors of m (p) and n, listed in two
# orders, of which the first one is better for m > n and the second one for p < n.
SIZES = {"n": 40, "m": 30, "p": 20, "k": 10}
SHARE, LOWER = 1.02, 4 * sum(SIZES.values())
AT_LEAST = 139  # formulas whose operations are compared


def listed_functions(count):
    """What the listed formulas call, of matrices, columns, rows and numbers."""
    def dot(a, b):
        return count.reduce("sum", a * b)

    def mapped(name):
        return lambda x: count.map(name, count.of(x))

    def over(axis):
        return lambda x: count.reduce("sum", x, axis, True)

    functions = {
        "dot": dot, "tr": count.trace, "inv": count.inv, "det": count.det, "I": count.eye,
        "ones": lambda *sizes: count.constant(1.0, sizes), "sum_": lambda x: count.reduce("sum", x),
        "S": lambda x: count.reduce("sum", x), "rowsum": over(1), "colsum": over(0),
        "norm2": lambda x: count.map("sqrt", dot(x, x)), "softmax": count.softmax, "kron": count.kron, "mpow": count.matpow,
        "sigm": mapped("sigmoid"), "abs_": mapped("abs"), "tril": lambda x: count.triangle("tril", x),
        "diag": lambda x: count.diag(count.reshape(x, (-1,))),
    }
    functions.update({name: mapped(name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "sign", "relu", "step")})
    return functions


def is_plain(formula):
    """Is it made of names, numbers, operators, .T and calls of matrix functions, and of nothing else of Python?"""
    names = listed_functions(Count())
    for node in ast.walk(ast.parse(formula, mode="eval")):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) not in names:
            return False
        if isinstance(node, ast.Attribute) and node.attr != "T":
            return False
        if not isinstance(node, (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Call, ast.Attribute,
                                 ast.Name, ast.Constant, ast.expr_context)):
            return False
    return True


def count_listed(formula, scope, symmetric):
    """The listed formula's value and operations."""
    count = Count()
    values = {name: count.leaf(name, value, name.rstrip("_") in symmetric) if isinstance(value, np.ndarray) and np.ndim(value)
              else count.leaf(name, value) if isinstance(value, float) else value for name, value in scope.items()}
    value = count.of(eval(formula, {**listed_functions(count), **values}))
    return value.array, count.operations


def input_value(count, argument, array, rows):
    """An input as the language has it."""
    name, structure = argument["name"], argument["structure"]
    if structure == "diagonal":
        return count.diag(count.leaf(name, array))
    leaf = count.leaf(name, np.where(np.isnan(array), 0, array), structure in ("symmetric", "spd"))
    return leaf.T if name in rows else leaf


def count_printed(module, lines, text, dims, inputs, shape):
    """The printed formula's value and operations; names are inputs, what statements define, and other results."""
    count, rows = Count(), set(re.findall(r"^(\w+): row", lines, re.M))
    values, texts = {}, {}
    for function in module.facts["functions"]:
        values.update({a["name"]: input_value(count, a, inputs[a["name"]], rows) for a in function["inputs"]})
        texts.update({o["name"]: o["formula"] for o in function["outputs"]})
    texts.update(re.findall(r"^(\w+) = (.*)", lines, re.M))
    value = Scope(count, values, texts, dims).value(text, shape)
    return value.array, count.operations


def printed(module, output):
    """The last line about an output in the derivation: its formula."""
    text = mx.run([mx.MXC, "--emit=derivation", "-o", "-", module.path]).decode()
    found = re.findall(rf"^  {output['name']} = (.*)$", text, re.M)
    if not found or found[-1] != output["formula"]:
        raise FormulaError(f"--emit=derivation has {found}, --emit=json {output['formula']}")
    return found[-1]


def check(tap, number, origin, source, formula):
    lines = identities.program_text(source)
    with mx.workspace() as folder:
        module = mx.Module(folder, lines, name="identity")
        output = module.facts["functions"][-1]["outputs"][-1]
        text = printed(module, output)
    dims = {d: SIZES[d] for f in module.facts["functions"] for d in f["dims"]}
    dims.update(identities.fixed_dims(lines))
    inputs = identities.inputs_of(module, origin, source, dims)
    scope = identities.scope_of(module, lines, SIZES, inputs)
    expected = np.asarray(eval(formula, {**identities.FORMULA, **scope}))
    shape = mx.shape_of(output, dims)
    value, ours = count_printed(module, lines, text, dims, inputs, shape)
    gap, where = identities.gap_of(value, output, expected)
    tap.ok(gap <= 1e-10, f"identity {number} prints its value: {text[:60]}", f"off by {gap:.3g} {where}\n{lines}{text}")
    if not is_plain(formula) or identities.of_distributions(origin):
        return None
    symmetric = {a["name"] for f in module.facts["functions"] for a in f["inputs"] if a["structure"] in ("symmetric", "spd")}
    again, theirs = count_listed(formula, scope, symmetric)
    gap, where = mx.difference(again.reshape(expected.shape), expected)
    tap.ok(gap <= 1e-10, f"identity {number}: what is counted is its value", f"off by {gap:.3g} {where}\n{formula}")
    tap.ok(ours <= theirs * SHARE + LOWER, f"identity {number}: {ours} operations, listed {theirs}",
           f"{source}\nprinted {ours:9} {output['name']} = {text}\nlisted  {theirs:9} {formula}")
    return ours, theirs


def main():
    tap, compared = mx.Tap(), []
    for number, origin, source, formula in identities.identities():
        try:
            counts = check(tap, number, origin, source, formula)
            compared += [counts] if counts else []
        except Exception as error:
            tap.ok(False, f"identity {number} is evaluated", f"{type(error).__name__}: {error}\n{source}\n{formula}")
    tap.ok(len(compared) >= AT_LEAST, f"at least {AT_LEAST} formulas are plain", len(compared))
    fewer, same = (sum(test(o, t) for o, t in compared) for test in (lambda o, t: o < t, lambda o, t: o == t))
    print(f"# of {len(compared)} plain formulas {fewer} take fewer operations than listed, {same} the same", flush=True)
    tap.done()


if __name__ == "__main__":
    main()
