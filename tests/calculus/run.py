#!/usr/bin/python3
"""Programs whose generated functions are called and judged three ways: by an independent oracle (PyTorch in double), by
central differences of the generated value itself, and, where the case says so, by the formula.

A case is one .mx file with lines that begin with '#:':
  #: sizes m=3 n=4; m=1 n=1     the dimensions to try (default: fixed ones only)
  #: oracle f = torch.…         Python that computes the outputs from the inputs (torch as torch, dimensions by name)
  #: positive X, y              inputs drawn from (0.5, 1.5) instead of a normal distribution
  #: input X = expression       an input with these values (NumPy as np), for kinks and extremes
  #: expect dF_dX = expression  what the oracle cannot say (a subgradient), instead of it
  #: no differences             the value is not smooth here
  #: formula dL_dW = Z' @ dL_dA the text that --emit=json gives
  #: tolerance 1e-5             instead of 1e-12 (f32 programs)

MX_PART=2/4 runs the second quarter of the cases.
"""
import glob
import os
import re
import sys
import zlib

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
# Every level of the planner's effort must give the same; sanitizers and both compilers take turns.
BUILDS = (("-O2", "gcc", tuple(mx.SANITIZE)), ("-O1", "clang", ("-O2",)), ("-O0", "gcc", tuple(mx.SANITIZE)))


class Case:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-3]
        with open(path) as file:
            self.source = file.read()
        lines = [line[2:].strip() for line in self.source.splitlines() if line.startswith("#:")]
        self.directives = [line.split(" ", 1) + [""] for line in lines]

    def all(self, keyword):
        return [rest.strip() for word, rest, *_ in self.directives if word == keyword]

    def pairs(self, keyword):
        return [tuple(part.strip() for part in text.split("=", 1)) for text in self.all(keyword)]

    def sizes(self):
        texts = "; ".join(self.all("sizes")) or ""
        return [dict((d.split("=")[0], int(d.split("=")[1])) for d in text.split()) for text in texts.split(";")]


def draw(case, module, dims, rng):
    """Values for every input and cotangent, by name."""
    positive = {name.strip() for text in case.all("positive") for name in text.split(",")}
    given = dict(case.pairs("input"))
    inputs = {}
    for function in module.facts["functions"]:
        for argument in function["inputs"]:
            name, shape = argument["name"], mx.shape_of(argument, dims)
            if name in inputs:
                continue
            if name in given:
                value = np.broadcast_to(np.asarray(eval(given[name], {"np": np}, dict(dims)), dtype=float), shape)
            else:
                value = rng.uniform(0.5, 1.5, shape) if name in positive else rng.standard_normal(shape)
                role = argument.get("role")
                value = (mx.into_space if role else mx.structured)(value, argument["structure"])
            inputs[name] = np.array(value, dtype=module.real)
    return inputs


def structures(module):
    """The structure of every input that is not dense, by name."""
    return {a["name"]: a["structure"] for f in module.facts["functions"] for a in f["inputs"]
            if a["structure"] != "dense" and not a.get("role")}


def in_space(expected, kinds):
    """Derivatives as the oracle finds them, in the spaces of the variables' structures."""
    projected = dict(expected)
    for name, value in expected.items():
        second = re.fullmatch(r"d2\w+?_d(\w+)_d(\w+)", name)
        wrt = re.fullmatch(r"(?:d\w+?_d|vjp_|hvp_)(\w+)", name)
        if second and second.group(1) in kinds:
            value = np.moveaxis(mx.into_space(np.moveaxis(value, (0, 1), (-2, -1)), kinds[second.group(1)]), (-2, -1), (0, 1))
        variable = second.group(2) if second else wrt.group(1) if wrt else None
        projected[name] = mx.into_space(value, kinds[variable]) if variable in kinds else value
    return projected


def direction_in(kinds, name, inputs, rng):
    return mx.into_space(rng.standard_normal(inputs[name].shape), kinds.get(name))


def oracle_values(case, inputs, dims):
    scope = {name: torch.tensor(np.asarray(value, dtype=np.float64), requires_grad=True) for name, value in inputs.items()}
    tensors = dict(scope)
    scope.update(dims, torch=torch)
    for name, expression in case.pairs("oracle"):
        scope[name] = eval(expression, scope)
    return tensors, scope


def gradient(outputs, cotangents, variable):
    pairs = [(o, c) for o, c in zip(outputs, cotangents) if o.requires_grad]
    if not pairs:
        return torch.zeros_like(variable)
    got = torch.autograd.grad([o for o, _ in pairs], variable, [c for _, c in pairs], retain_graph=True, allow_unused=True)[0]
    return torch.zeros_like(variable) if got is None else got


def back(scope, tensors, target, names, cotangent, graph=False):
    """(d target / d names)' cotangent, for each name; zero where the target does not depend on it."""
    variables = [tensors[name] for name in names]
    got = torch.autograd.grad(scope[target], variables, cotangent, create_graph=graph, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(got, variables)]


def again(values, variables, directions):
    """The gradient of sum <values, directions> with respect to each variable."""
    total = sum((value * direction).sum() for value, direction in zip(values, directions))
    if not total.requires_grad:
        return [torch.zeros_like(v) for v in variables]
    got = torch.autograd.grad(total, variables, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(got, variables)]


def rows(value, variable):
    """The Jacobian of a tensor, one backward pass for each of its elements."""
    flat = value.reshape(-1)
    if not value.requires_grad:
        return torch.zeros(value.shape + variable.shape)
    got = [torch.autograd.grad(flat[i], variable, retain_graph=True, allow_unused=True)[0] for i in range(flat.numel())]
    got = [torch.zeros_like(variable) if g is None else g for g in got]
    return torch.stack(got).reshape(value.shape + variable.shape) if got else torch.zeros(value.shape + variable.shape)


def element(name, tensors, scope):
    """The variable and the index of W_i_0, or the whole variable."""
    for rank in (0, 1, 2):
        parts = name.rsplit("_", rank)
        if parts[0] in tensors and (rank == 0 or tensors[parts[0]].dim() == rank):
            return tensors[parts[0]], tuple(int(p) if p.isdigit() else scope[p] for p in parts[1:])


def expected_tensors(function, tensors, scope, target):
    expected = {}
    for output in function["outputs"][1:]:
        second = re.fullmatch(rf"d2{target}_d(\w+)_d(\w+)", output["name"])
        if function["kind"] == "jac":
            variable, index = element(output["name"][len(target) + 3:], tensors, scope)
            expected[output["name"]] = rows(scope[target], variable)[(...,) + index]
        elif second:
            g = back(scope, tensors, target, [second.group(1)], torch.ones_like(scope[target]), True)[0]
            expected[output["name"]] = rows(g, tensors[second.group(2)])
    return expected


def expected_directions(function, tensors, scope):
    """What vjp, jvp and hvp functions give beside the value and gradient; tangents through two backward passes."""
    kind, names = function["kind"], [i["name"] for i in function["inputs"] if i.get("role")]
    target = function["outputs"][0]["name"]
    if kind in ("jac", "hess"):
        return expected_tensors(function, tensors, scope, target)
    if kind == "vjp":
        wrt = [o["name"][4:] for o in function["outputs"] if o["name"].startswith("vjp_")]
        u = tensors[names[0]].detach() if names else torch.zeros_like(scope[target])
        return dict(zip(["vjp_" + w for w in wrt], back(scope, tensors, target, wrt, u)))
    wrt = [name[2:] for name in names]
    directions = [tensors[name].detach() for name in names]
    if kind == "jvp":
        u = torch.zeros_like(scope[target], requires_grad=True)
        return {"jvp_" + target: again(back(scope, tensors, target, wrt, u, True), [u], directions)[0]}
    g = back(scope, tensors, target, wrt, torch.ones_like(scope[target]), True)
    return dict(zip(["hvp_" + w for w in wrt], again(g, [tensors[w] for w in wrt], directions)))


def expected_outputs(case, module, function, tensors, scope):
    """What the oracle says of every output of a function."""
    functions, expected = module.facts["functions"], {}
    kind = function["kind"]
    if kind in ("vjp", "jvp", "hvp", "jac", "hess"):
        expected = expected_directions(function, tensors, scope)
    if kind == "backward":
        values = functions[functions.index(function) - 1]["outputs"]
        cotangents = [i["name"] for i in function["inputs"] if i.get("role") == "cotangent"]
        seeds = {i.split("_d", 1)[1]: tensors[i].detach() for i in cotangents}
        targets = [v["name"] for v in values if v["name"] in seeds]
    for output in function["outputs"]:
        name = output["name"]
        derivative = re.fullmatch(r"d(\w+?)_d(\w+)", name)
        if name in expected:
            continue
        if name in scope and name not in tensors:
            expected[name] = scope[name]
        elif kind == "backward":
            expected[name] = gradient([scope[t] for t in targets], [seeds[t] for t in targets],
                                      tensors[derivative.group(2)])
        else:
            f = scope[derivative.group(1)]
            expected[name] = gradient([f], [torch.ones_like(f)], tensors[derivative.group(2)])
    for name, expression in case.pairs("expect"):
        if name in expected:
            expected[name] = torch.as_tensor(np.asarray(eval(expression, dict(scope, np=np))))
    values = {name: value.detach().numpy() if hasattr(value, "detach") else value for name, value in expected.items()}
    return in_space(values, structures(module))


def check_oracle(tap, case, label, function, got, expected, tolerance):
    for name, value in expected.items():
        gap, where = mx.difference(got[name], np.broadcast_to(value, got[name].shape) if np.ndim(value) == 0 else value)
        tap.ok(gap <= tolerance, f"{label}: {function['name']}: {name} as the oracle says", f"off by {gap:.3g} {where}")


def slope(module, program, value_of, function, variable, inputs, dims, rng):
    """The derivative along a random direction, from the gradient and from central differences."""
    results = module.call(program, value_of + [function["name"]], dims, inputs)
    name = next(o["name"] for o in function["outputs"] if o["name"].endswith("_d" + variable))
    direction = direction_in(structures(module), variable, inputs, rng)
    step = 1e-5
    ends = []
    for sign in (1, -1):
        moved = dict(inputs, **{variable: inputs[variable] + sign * step * direction})
        ends.append(module.call(program, (value_of or [function["name"]])[:1], dims, moved)[0])
    weights = {i.split("_d", 1)[1]: inputs[i] for i in inputs if f"d{name.split('_d')[0][1:]}_d" == i.split("_d")[0] + "_d"}
    along = 0.0
    for output, end in ends[0].items():
        weight = weights.get(output, 1.0 if output == name.split("_d")[0][1:] else 0.0)
        along += np.sum(weight * (end - ends[1][output])) / (2 * step)
    return float(np.sum(results[-1][name] * direction)), float(along)


def moved(module, program, function, dims, inputs, directions, step):
    """All outputs with every variable moved along its direction."""
    there = {name: inputs[name] + step * direction for name, direction in directions.items()}
    return module.call(program, [function["name"]], dims, {**inputs, **there})[0]


def check_directions(tap, label, module, program, function, inputs, dims, rng):
    """jvp and hvp against differences along the tangents; vjp against those along random directions, times the cotangent."""
    kind, names = function["kind"], [i["name"] for i in function["inputs"] if i.get("role")]
    if kind == "vjp":
        wrt = [o["name"][4:] for o in function["outputs"] if o["name"].startswith("vjp_")]
        directions = {w: direction_in(structures(module), w, inputs, rng) for w in wrt if w in inputs}
    else:
        directions = {name[2:]: inputs[name] for name in names if name[2:] in inputs}
    here = module.call(program, [function["name"]], dims, inputs)[0]
    ends = [moved(module, program, function, dims, inputs, directions, step) for step in (1e-5, -1e-5)]
    slope = {name: (ends[0][name] - ends[1][name]) / 2e-5 for name in here}
    target = function["outputs"][0]["name"]
    if kind == "vjp":
        pairs = [(sum(np.sum(here["vjp_" + w] * d) for w, d in directions.items()),
                  np.sum((inputs[names[0]] if names else 0) * slope[target]))]
    elif kind == "jvp":
        pairs = [(here["jvp_" + target], slope[target])]
    else:
        pairs = [(here["hvp_" + n[2:]], slope[next(o for o in slope if o.endswith("_d" + n[2:]))]) for n in names]
    for exact, measured in pairs:
        scale = max(np.abs(exact).max(initial=0), np.abs(measured).max(initial=0), 1e-2)
        tap.ok(np.abs(exact - measured).max(initial=0) <= 2e-6 * scale, f"{label}: {function['name']} as differences say",
               f"exact {exact!r}, differences {measured!r}")


def check_tensors(tap, label, module, program, function, inputs, dims, rng):
    """Jacobians and Hessians contracted with a random direction against differences of the value or gradient along it."""
    here = module.call(program, [function["name"]], dims, inputs)[0]
    target = function["outputs"][0]["name"]
    for output in function["outputs"][1:]:
        names = re.fullmatch(rf"d2{target}_d(\w+)_d(\w+)", output["name"])
        of, wrt = (f"d{target}_d{names.group(1)}", names.group(2)) if names else (target, output["name"][len(target) + 3:])
        if function["kind"] == "hess" and not names or wrt not in inputs:
            continue
        direction = direction_in(structures(module), wrt, inputs, rng)
        ends = [moved(module, program, function, dims, inputs, {wrt: direction}, step)[of] for step in (1e-5, -1e-5)]
        measured = (ends[0] - ends[1]) / 2e-5
        exact = np.tensordot(here[output["name"]], direction, direction.ndim)
        scale = max(np.abs(exact).max(initial=0), np.abs(measured).max(initial=0), 1e-2)
        tap.ok(np.abs(exact - measured).max(initial=0) <= 2e-6 * scale, f"{label}: {output['name']} as differences say",
               f"exact {exact!r}, differences {measured!r}")


def check_differences(tap, case, label, module, program, function, inputs, dims, rng):
    if function["kind"] in ("jac", "hess"):
        return check_tensors(tap, label, module, program, function, inputs, dims, rng)
    if function["kind"] in ("vjp", "jvp", "hvp"):
        return check_directions(tap, label, module, program, function, inputs, dims, rng)
    functions = module.facts["functions"]
    before = [functions[functions.index(function) - 1]["name"]] if function["kind"] == "backward" else []
    for output in function["outputs"]:
        derivative = re.fullmatch(r"d(\w+?)_d(\w+)", output["name"])
        if not derivative or derivative.group(2) in inputs and inputs[derivative.group(2)].size == 0:
            continue
        if derivative.group(2) not in inputs:  # which the value does not take
            got = module.call(program, before + [function["name"]], dims, inputs)[-1][output["name"]]
            tap.ok(not np.any(got), f"{label}: {output['name']} of what is not read is 0", got)
            continue
        exact, measured = slope(module, program, before, function, derivative.group(2), inputs, dims, rng)
        scale = max(abs(exact), abs(measured), 1e-2)
        tap.ok(abs(exact - measured) <= 2e-6 * scale, f"{label}: {output['name']} as differences say",
               f"derivative {exact!r}, differences {measured!r}")


def run_size(tap, case, modules, dims, tolerance):
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) + sum(dims.values()))
    label = case.name + "".join(f" {d}={n}" for d, n in dims.items())
    module = modules[BUILDS[0][0]]
    inputs = draw(case, module, dims, rng)
    tensors, scope = oracle_values(case, inputs, dims)
    calls = [f["name"] for f in module.facts["functions"]]
    for effort, compiler, flags in BUILDS:
        module = modules[effort]
        program = module.build(compiler, flags)
        results = module.call(program, calls, dims, inputs)
        for function, got in zip(module.facts["functions"], results):
            expected = expected_outputs(case, module, function, tensors, scope)
            check_oracle(tap, case, f"{label} ({effort}, {compiler})", function, got, expected, tolerance)
    if "differences" not in case.all("no") and module.real == np.float64:
        for function in module.facts["functions"]:
            check_differences(tap, case, label, module, program, function, inputs, dims, rng)


def check_formulas(tap, case, module):
    for name, text in case.pairs("formula"):
        found = [o["formula"] for f in module.facts["functions"] for o in f["outputs"] if o["name"] == name]
        tap.ok(text in found, f"{case.name}: formula of {name}", f"got {found}, expected {text}")


def run_case(tap, case):
    tolerance = float((case.all("tolerance") or ["1e-12"])[0])
    try:
        with mx.workspace() as folder:
            modules = {effort: mx.Module(os.path.join(folder, effort), case.source, (effort,), re.sub(r"\W", "_", case.name))
                       for effort, *_ in BUILDS}
            check_formulas(tap, case, modules["-O2"])
            for dims in case.sizes():
                run_size(tap, case, modules, dims, tolerance)
    except Exception as error:
        tap.ok(False, f"{case.name}: runs", f"{type(error).__name__}: {error}")


def records():
    """The operators of ops.def that programs may call in this version: name, how it is called, how many arguments."""
    with open(os.path.join(mx.ROOT, "gen", "graph", "ops.def")) as file:
        text = file.read()
    found = re.findall(r"^OP\((\w+),(.*?)\)\n(?=OP|\n|#|/|\Z)", text, re.S | re.M)
    for name, body in found:
        call = re.search(r'\.call = "(\w+)(?:\((\w+)\))?"', body)
        if "OP_HIDDEN" not in body:
            arity = re.search(r"\.arity = (\d)", body)  # ANY_ARGUMENTS: none
            yield name, call.groups() if call else (name, None), int(arity.group(1)) if arity else 0


def check_every_operator(tap, cases):
    text = "\n".join(case.source for case in cases)
    for name, (call, parameter), arity in records():
        last = rf", {parameter}\)" if parameter else r", [^=,()]+\)" if arity == 2 and call != name else ""
        tap.ok(re.search(rf"\b{call}\([^\n]*{last}" if last else rf"\b{call}\(", text) is not None,
               f"operator {name} has a case")


def main():
    tap = mx.Tap()
    only = sys.argv[1:]
    paths = sorted(glob.glob(os.path.join(HERE, "*.mx")))
    cases = [Case(p) for p in paths if not only or os.path.basename(p)[:-3] in only]
    part, parts = map(int, os.environ.get("MX_PART", "1/1").split("/"))
    for case in cases[part - 1::parts]:
        run_case(tap, case)
    if not only and part == 1:
        check_every_operator(tap, cases)
    tap.done()


if __name__ == "__main__":
    main()
