"""Programs of the language in PyTorch, read as the language's page says: an oracle that shares nothing with the compiler.

    tensors = {"A": torch.tensor(…), "x": torch.tensor(…)}
    values(source, tensors, {"m": 3, "n": 4})["f"]      a tensor, of which autograd takes derivatives

Operators have in Python the precedence that they have in the language once ' is .T, ^ is ** and \\ is //, so the text of
an expression is rewritten and evaluated. A vector and a row are tensors of one axis; which one it is goes with them."""
import re

import torch

REQUEST = re.compile(r"(dim|real|output|grad|vjp|jvp|jac|hess|hvp)\b")
DECLARATION = re.compile(r"(\w+): (?:(row|symmetric|spd|diagonal|lower|upper|orthogonal) )?(?:\[.*\]|scalar)$")
SPELLED = {"'": ".T", "^": "**", "\\": "//"}


class Untranslated(Exception):
    """What this translation does not know, or shapes that the language does not let together."""


def need(condition, message):
    if not condition:
        raise Untranslated(message)


class Value:
    """A tensor; of one axis, a vector or (row) a row."""

    def __init__(self, tensor, row=False):
        self.tensor, self.row = tensor, row and tensor.dim() == 1

    @property
    def rank(self):
        return self.tensor.dim()

    @property
    def T(self):
        return Value(self.tensor.T, False) if self.rank == 2 else Value(self.tensor, not self.row)

    def map(self, function):
        return Value(function(self.tensor), self.row)

    def beside(self, other, function):
        """Elementwise, broadcasting as PyTorch does."""
        other = of(other)
        need(1 not in (self.rank, other.rank) or self.rank != other.rank or self.row == other.row, "a vector beside a row")
        return Value(function(self.tensor, other.tensor), self.row or other.row)

    def __matmul__(self, other):
        need(self.rank and other.rank, "a scalar in a matrix product")
        if self.rank == other.rank == 1 and other.row:
            need(not self.row, "a product of two rows")
            return Value(torch.outer(self.tensor, other.tensor))
        need(not (self.rank == 2 and other.row), "a product of a matrix and a row")
        return Value(self.tensor @ other.tensor, self.row and other.rank == 2)

    def __floordiv__(self, other):
        return Value(torch.linalg.solve(self.tensor, other.tensor))

    def __getitem__(self, index):
        return Value(self.tensor[index], self.row)

    def __neg__(self):
        return self.map(torch.neg)

    __add__ = __radd__ = lambda self, other: self.beside(other, torch.add)
    __mul__ = __rmul__ = lambda self, other: self.beside(other, torch.mul)
    __sub__ = lambda self, other: self.beside(other, torch.sub)
    __rsub__ = lambda self, other: of(other) - self
    __truediv__ = lambda self, other: self.beside(other, torch.div)
    __rtruediv__ = lambda self, other: of(other) / self
    __pow__ = lambda self, other: self.beside(other, torch.pow)
    __rpow__ = lambda self, other: of(other) ** self


def of(value):
    """A number, too, as a value."""
    return value if isinstance(value, Value) else Value(torch.tensor(float(value), dtype=torch.float64))


def elementwise(function):
    return lambda x: of(x).map(function)


def matrices(function):
    """A function of matrices (and what else it takes) that gives a tensor."""
    return lambda *arguments: Value(function(*(a.tensor if isinstance(a, Value) else a for a in arguments)))


def over(function):
    """A reduction of all elements or, over an axis, to a vector."""
    def reduce(x, axis=None, keepdims=False):
        tensor = x.tensor
        if axis is None:
            return Value(function(tensor.reshape(-1), 0, False).reshape((1,) * tensor.dim() if keepdims else ()))
        return Value(function(tensor, axis, keepdims))
    return reduce


def norm(x, kind=2):
    if kind == 2:
        return Value((x.tensor * x.tensor).sum().sqrt())
    return Value(x.tensor.abs().sum() if kind == 1 else x.tensor.abs().max())


def stacked(parts, axis):
    """Side by side (1: a vector is a column) or one above the other (0: a row is a matrix of one row)."""
    if axis == 0 and all(p.rank == 1 and not p.row for p in parts):
        return Value(torch.cat([p.tensor for p in parts]))
    need(all(p.rank == 2 or p.row == (axis == 0) for p in parts), "rows side by side, or vectors above each other")
    return Value(torch.cat([p.tensor if p.rank == 2 else p.tensor.unsqueeze(1 - axis) for p in parts], axis))


FUNCTIONS = {
    "true": True, "false": False, "inf": float("inf"),
    **{name: elementwise(getattr(torch, name)) for name in (
        "exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign", "square",
        "reciprocal", "sigmoid", "relu")},
    "softplus": elementwise(lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    "dot": matrices(torch.dot), "outer": matrices(torch.outer), "kron": matrices(torch.kron),
    "inner": matrices(lambda a, b: (a * b).sum()),
    "inv": matrices(torch.linalg.inv), "det": matrices(torch.linalg.det), "solve": matrices(torch.linalg.solve),
    "logdet": matrices(lambda a: torch.linalg.slogdet(a)[1]), "matpow": matrices(torch.linalg.matrix_power),
    "tr": matrices(torch.trace), "trace": matrices(torch.trace), "diag": matrices(torch.diag),
    "vec": matrices(lambda a: a.T.reshape(-1) if a.dim() == 2 else a), "reshape": matrices(torch.reshape),
    "hcat": lambda *parts: stacked(parts, 1), "vcat": lambda *parts: stacked(parts, 0),
    "sum": over(torch.sum), "mean": over(torch.mean), "max": over(torch.amax), "logsumexp": over(torch.logsumexp),
    "norm": norm, "softmax": lambda x, axis=-1: x.map(lambda t: torch.softmax(t, axis)),
}


def python_of(expression):
    """The expression as Python has it."""
    tokens = re.findall(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\w+|\s+|.", expression)
    return "".join(SPELLED.get(token, token) for token in tokens)


def input_value(tensor, attribute):
    return Value(torch.diag(tensor)) if attribute == "diagonal" else Value(tensor, attribute == "row")


def values(source, tensors, sizes):
    """Every name that the program's statements define, as tensors: of a diagonal matrix is given the diagonal."""
    scope, defined = {**FUNCTIONS, **sizes}, {}
    for line in filter(None, source.splitlines()):
        declared, assigned = DECLARATION.match(line), re.match(r"(\w+) = (.*)", line)
        if declared:
            name, attribute = declared.groups()
            scope[name] = input_value(tensors[name], attribute)
        elif assigned:
            name, expression = assigned.groups()
            scope[name] = of(eval(python_of(expression), {"__builtins__": {}}, scope))
            defined[name] = scope[name].tensor
        else:
            need(REQUEST.match(line), f"no statement that is known: {line}")
    return defined
