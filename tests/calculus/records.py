#!/usr/bin/python3
"""Every record of ops.def, by what the manual says of it (--help-language=json).

Its example is compiled and run. From the example's values, and at random arguments, drawn again where a result is
not finite or is large (a pole is near):
  <u, J t> = <J' u, t>     of the generated jvp and vjp, to 1e-12
  <s, H t> = <H s, t>      of the generated hvp, which goes through the hidden records that differentials name
  J t and H t              as differences of the value and of the gradient say
At each kink the gradient is what the record says. A record that lacks an example, or kinks where its domain speaks of a
derivative, fails."""
import json
import os
import re
import shutil
import subprocess
import sys
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

REQUEST = re.compile(r"(output|grad|vjp|jvp|jac|hess|hvp)\b")
# The derivative is by intent not that of the value.
NO_DIFFERENCES = {"stop"}
STEP = 1e-5
LARGE = 1e3


def manual(form):
    return mx.run([mx.MXC, "--help-language" + form]).decode()


def table():
    """Name and fields of every record that is in the language now, and which of them are hidden."""
    with open(os.path.join(mx.ROOT, "gen", "graph", "ops.def")) as file:
        found = re.findall(r"^OP\((\w+),(.*?)\)\n(?=OP|\n|#|/|\Z)", file.read(), re.S | re.M)
    found = [(name, body) for name, body in found if "KIND_LATER" not in body]
    return dict(found), [name for name, body in found if "OP_HIDDEN" in body]


def check_table(tap, functions):
    records, hidden = table()
    listed = [f["record"] for f in functions]
    tap.ok(listed == [name for name in records if name not in hidden], "the manual lists every record", listed)
    for function in functions:
        name, domain = function["record"], function["domain"] or ""
        lines = (function["example"] or "").splitlines()
        tap.ok(1 <= len(lines) <= 3, f"{name}: has an example of one to three lines",
               "give the record a field .example, or its shape a row of shape_forms in gen/manual.c")
        if re.search(r"\btie|derivative(?! needs)|gradient|'\(", domain):
            tap.ok(function["kinks"], f"{name}: says its derivative at its kinks (.kinks)", domain)
    for name in hidden:
        infix = re.search(r'\.infix = "(.*?)"', records[name])
        used = re.escape(f" {infix.group(1)} ") if infix else rf"\b{name}\("
        users = [user for user, body in records.items() if user != name
                 and any(re.search(used, text) for text in re.findall(r'\.(?:differential|definition|single|diagonal|triangular|positive) =\s*((?:"[^"]*"\s*)+)', body))]
        tap.ok(users, f"{name}: hidden, is named by the differential or computation of a record that is tested")


# ---- Examples -------------------------------------------------------------------------------------------------------


def outputs_of(values):
    """The values that an example computes, and the inputs that it reads."""
    with mx.workspace() as folder:
        path = os.path.join(folder, "values.mx")
        with open(path, "w") as file:
            file.write(values)
        facts = json.loads(mx.run([mx.MXC, "--emit=json", path]))["functions"][0]
    return facts["outputs"], [i["name"] for i in facts["inputs"]]


def with_requests(example):
    """The example and this test's requests: its program, and what the requests are about."""
    lines = example.splitlines()
    values = "\n".join(line for line in lines if not REQUEST.match(line)) + "\n"
    outputs, inputs = outputs_of(values)
    wrt = ", ".join(inputs)
    program = example + "\n"
    for i, output in enumerate(outputs if inputs else []):
        name, phi = output["name"], output["name"]
        if output["shape"]:
            phi = f"phi_{i}"
            program += f"{phi} = sum({name} * cos({name}))\n"
        program += f"vjp {name} wrt {wrt} as test_vjp_{i}\njvp {name} wrt {wrt} as test_jvp_{i}\nhvp {phi} wrt {wrt} as test_hvp_{i}\n"
    return program, [o["name"] for o in outputs] if inputs else [], inputs


class Example:
    """A compiled example with arguments at which everything is finite."""

    def __init__(self, folder, name, program):
        self.module = mx.Module(folder, program, name="record")
        self.program = self.module.build("gcc", ("-O1",))
        self.functions = self.module.functions()
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        names = sorted({d for f in self.functions.values() for d in f["dims"]})
        self.dims = {d: 3 + i % 3 for i, d in enumerate(names)}
        self.shapes = {i["name"]: mx.shape_of(i, self.dims) for f in self.functions.values() for i in f["inputs"]}
        self.inputs = {name: self.rng.standard_normal(shape) for name, shape in self.shapes.items()}

    def call(self, name, **changed):
        return self.module.call(self.program, [name], self.dims, {**self.inputs, **changed})[0]

    def finite(self):
        """Draws again, element by element where all shapes are one, what lies outside of the domain."""
        for _ in range(200):
            results = [value for name in self.functions for value in self.call(name).values()]
            if all((np.abs(value) <= LARGE).all() for value in results):
                return True
            shape = max(self.shapes.values(), key=len)
            bad = np.ones(shape, bool)
            if {value.shape for value in results if value.ndim} == {shape}:
                bad = ~np.all([np.abs(value) <= LARGE for value in results if value.ndim], axis=0)
                bad = bad if bad.any() else np.ones(shape, bool)
            for name, value in self.inputs.items():
                again = bad if value.shape == shape else np.ones(value.shape, bool)
                self.inputs[name] = np.where(again, 1.5 * self.rng.standard_normal(value.shape), value)
        return False


def pair(a, b):
    return sum(float(np.sum(x * y)) for x, y in zip(a, b))


def check_adjoint(tap, label, left, right, scale):
    gap = abs(left - right)
    tap.ok(gap <= 1e-12 * max(scale, abs(left)), label, f"{left!r} and {right!r}, off by {gap:.3g} at scale {scale:.3g}")


def scale_of(a, b):
    return sum(float(np.sum(np.abs(x * y))) for x, y in zip(a, b))


def check_close(tap, label, exact, measured):
    scale = max(np.abs(exact).max(initial=0), np.abs(measured).max(initial=0), 1e-2)
    worst = np.abs(exact - measured).max(initial=0)
    tap.ok(worst <= 1e-5 * scale, label, f"exact {exact!r}, differences {measured!r}")


def check_first(tap, example, name, i, output, inputs):
    """The jvp and vjp of one output."""
    jvp, vjp = example.call(f"test_jvp_{i}"), example.call(f"test_vjp_{i}")
    u, tangents = example.inputs.get("u_" + output, 0.0), [example.inputs.get("t_" + x, 0.0) for x in inputs]
    back = [vjp["vjp_" + x] for x in inputs]
    gap, where = mx.difference(jvp[output], vjp[output])
    tap.ok(gap == 0, f"{name}: {output}: jvp and vjp give one value", where)
    check_adjoint(tap, f"{name}: {output}: <u, J t> = <J' u, t>", pair([u], [jvp["jvp_" + output]]), pair(back, tangents),
                  scale_of([u], [jvp["jvp_" + output]]) + scale_of(back, tangents))
    if name not in NO_DIFFERENCES:
        ends = [example.call(f"test_jvp_{i}", **{x: example.inputs[x] + h * t for x, t in zip(inputs, tangents)})[output]
                for h in (STEP, -STEP)]
        check_close(tap, f"{name}: {output}: J t as differences say", jvp["jvp_" + output], (ends[0] - ends[1]) / (2 * STEP))


def check_second(tap, example, name, i, inputs):
    """The hvp of the output, or of the sum of R cos R, which no function of the language inverts."""
    function = f"test_hvp_{i}"
    t = [example.rng.standard_normal(example.inputs[x].shape) for x in inputs]
    s = [example.rng.standard_normal(example.inputs[x].shape) for x in inputs]
    ht, hs = ([r["hvp_" + x] for x in inputs] for r in (example.call(function, **{"v_" + x: v for x, v in zip(inputs, d)})
                                                        for d in (t, s)))
    check_adjoint(tap, f"{name}: <s, H t> = <H s, t>", pair(s, ht), pair(hs, t), scale_of(s, ht) + scale_of(hs, t))
    if name in NO_DIFFERENCES:
        return
    ends = [example.call(function, **{x: example.inputs[x] + h * v for x, v in zip(inputs, t)}) for h in (STEP, -STEP)]
    for x, exact in zip(inputs, ht):
        gradient = next(key for key in ends[0] if key.startswith("d") and key.endswith("_d" + x))
        check_close(tap, f"{name}: H t as differences say, {x}", exact, (ends[0][gradient] - ends[1][gradient]) / (2 * STEP))


def check_example(tap, function):
    name = function["record"]
    program, outputs, inputs = with_requests(function["example"])
    with mx.workspace() as folder:
        example = Example(folder, name, program)
        if not tap.ok(example.finite(), f"{name}: the example runs", "no arguments give finite results"):
            return
        for i, output in enumerate(outputs):
            check_first(tap, example, name, i, output, inputs)
            check_second(tap, example, name, i, inputs)


# ---- Kinks ----------------------------------------------------------------------------------------------------------


def as_arguments(text, arity):
    value = eval(text, {"inf": np.inf, "nan": np.nan})
    return [np.asarray(v, dtype=float) for v in (value if arity > 1 else (value,))]


def check_kinks(tap, function):
    """The gradient of the sum of the result with respect to each argument, at the arguments given."""
    name, arity = function["record"], function["arity"]
    base, _, fixed = function["spelling"].partition("(")
    for number, kink in enumerate(function["kinks"].split("; ")):
        at, expected = (as_arguments(side, arity) for side in kink.split(" -> "))
        letters = "abc"[:arity]
        declared = "".join(f"{c}: {f'[{value.size}]' if value.ndim else 'scalar'}\n" for c, value in zip(letters, at))
        call = f"{base}({', '.join(letters)}{', ' + fixed[:-1] if fixed else ''})"
        with mx.workspace() as folder:
            module = mx.Module(folder, f"{declared}f = sum({call})\ngrad f wrt {', '.join(letters)}\n", name="kink")
            got = module.call(module.build("gcc", ("-O1",)), ["kink_grad_f"], {}, dict(zip(letters, at)))[0]
        for c, value in zip(letters, expected):
            gap, where = mx.difference(got["df_d" + c], value)
            tap.ok(gap == 0, f"{name}: the derivative at kink {number + 1}, {c}", f"{kink}: {where}")


# ---- The manual -----------------------------------------------------------------------------------------------------


def check_pages(tap, functions):
    text, page = manual(""), manual("=man")
    long = [line for line in text.splitlines() if len(line) > 100]
    tap.ok(not long and text.isascii(), "the text has at most 100 columns", "\n".join(long))
    for function in functions:
        tap.ok(f"\n  {function['forms']}\n      {function['doc']}"[:60] in text and function["example"].splitlines()[0] in text,
               f"{function['record']}: has an entry in the text")
    shown = re.findall(r"^  (\w+)\(", text, re.M)
    wrong = [name for name in shown if name not in {f["spelling"].partition("(")[0] for f in functions}]
    tap.ok(not wrong, "no other function has one", wrong)
    if shutil.which("groff"):
        for which, roff in (("mxc-language(7)", page), ("mxc(1)", mx.run([mx.MXC, "--help=man"]).decode())):
            done = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=roff.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            tap.ok(done.returncode == 0 and not done.stderr and len(done.stdout) > 1000, f"groff takes {which}", done.stderr.decode())


def check_program(tap, number, program):
    with mx.workspace() as folder:
        module = mx.Module(folder, program, name="program")
        module.build("gcc", ("-O1",))
        tap.ok(module.facts["functions"], f"program {number} of the manual is compiled")


def attempt(tap, label, check, *arguments):
    try:
        check(tap, *arguments)
    except Exception as error:
        tap.ok(False, f"{label}: runs", f"{type(error).__name__}: {error}")


def main():
    tap, facts = mx.Tap(), json.loads(manual("=json"))
    chosen = [f for f in facts["functions"] if not sys.argv[1:] or f["record"] in sys.argv[1:]]
    if not sys.argv[1:]:
        check_table(tap, facts["functions"])
        attempt(tap, "the manual", check_pages, facts["functions"])
        for number, program in enumerate(facts["programs"], 1):
            attempt(tap, f"program {number} of the manual", check_program, number, program)
    for function in chosen:
        if function["example"]:
            attempt(tap, function["record"], check_example, function)
        if function["kinks"]:
            attempt(tap, function["record"] + ": kinks", check_kinks, function)
    tap.done()


main()
