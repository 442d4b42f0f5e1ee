"""Formulas of the language, evaluated in NumPy, with the operations that they take.

    count = Count()
    scope = Scope(count, {"X": count.leaf("X", array)}, {"f": "sum(X)^2"}, {"m": 3, "n": 4})
    scope.value("2 * f * X").array, count.operations

A value is a node and how it is read: transposed, negated. A scalar has no axis, a vector or a row one. Equal
subexpressions are one node and counted once, whatever the order of their sums and products: (A B)' is B' A', and a
symmetric A is its transpose. What is counted:

    product of [m, k] and [k, n]        m n (2 k - 1): outer products m n, with ones the sum, by diag(v) the scaling
    elementwise                         1 for each element of what does not repeat; times 1, plus 0, negation: 0
    sum, max, min, prod                 the elements that are added, less the results
    inv, det, logdet                    n^3, together once for each matrix
    softmax, log_softmax; logsumexp     5; 4 for each element
    transposes, slices, stacks, eye, ones, diag, vec, reshape, tril: 0
"""
import math
import re

import numpy as np

ELEMENTWISE = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt, "cbrt": np.cbrt, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "abs": np.abs, "sign": np.sign,
    "erf": np.vectorize(math.erf), "erfc": np.vectorize(math.erfc), "lgamma": np.vectorize(math.lgamma),
    "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)), "softplus": lambda x: np.logaddexp(0, x),
    "relu": lambda x: np.maximum(x, 0), "step": lambda x: (x > 0) * 1.0, "stop": lambda x: x,
}
PAIRS = {"pow": np.power, "max": np.maximum, "min": np.minimum, "hypot": np.hypot, "atan2": np.arctan2, "<": np.less,
         "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}
REDUCTIONS = {"sum": np.sum, "max": np.max, "min": np.min, "prod": np.prod}


class FormulaError(Exception):
    """A text that is no formula, or a value of the wrong shape."""


def need(condition, message):
    if not condition:
        raise FormulaError(message)


class Node:
    """What was computed. extent: its shape with 1 along axes where it repeats itself; fill: the number that it is
    everywhere; diagonal: the list of which it is the diagonal matrix; chain, terms: what it is the product, the sum of."""

    def __init__(self, number, array, extent, **known):
        self.number, self.array = number, np.asarray(array, dtype=float)
        self.extent = self.array.shape if extent is None else extent
        self.symmetric, self.fill, self.diagonal = known.get("symmetric", False), known.get("fill"), known.get("diagonal")
        self.chain, self.terms, self.factors = known.get("chain"), known.get("terms"), known.get("factors")


class Value:
    """A node as it is read. With one axis, transposed means a row."""

    def __init__(self, count, node, transposed=False, negative=False):
        self.count, self.node, self.negative = count, node, negative
        self.transposed = transposed and not node.symmetric and node.array.ndim > 0

    @property
    def array(self):
        array = self.node.array.T if self.transposed else self.node.array
        return -array if self.negative else array

    @property
    def shape(self):
        return self.array.shape

    @property
    def extent(self):
        return self.node.extent[::-1] if self.transposed else self.node.extent

    @property
    def rank(self):
        return self.node.array.ndim

    @property
    def fill(self):
        return None if self.node.fill is None else -self.node.fill if self.negative else self.node.fill

    @property
    def key(self):
        return (self.node.number, self.transposed)

    @property
    def diagonal(self):
        d = self.node.diagonal
        return None if d is None else -d if self.negative else d

    @property
    def T(self):
        return Value(self.count, self.node, not self.transposed, self.negative)

    @property
    def plus(self):
        return Value(self.count, self.node, self.transposed)

    def signed(self, negative):
        return Value(self.count, self.node, self.transposed, self.negative != negative)

    def __neg__(self):
        return self.signed(True)

    def __add__(self, other):
        return self.count.add(self, self.count.of(other))

    def __radd__(self, other):
        return self.count.add(self.count.of(other), self)

    def __sub__(self, other):
        return self.count.add(self, -self.count.of(other))

    def __rsub__(self, other):
        return self.count.add(self.count.of(other), -self)

    def __mul__(self, other):
        return self.count.multiply(self, self.count.of(other))

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self.count.divide(self, self.count.of(other))

    def __rtruediv__(self, other):
        return self.count.divide(self.count.of(other), self)

    def __matmul__(self, other):
        return self.count.product(self, self.count.of(other))

    def __pow__(self, other):
        return self.count.power(self, self.count.of(other))


def elements(extent):
    return int(np.prod(extent, dtype=int))


class Count:
    """Makes nodes, each once, and adds up the operations."""

    def __init__(self):
        self.operations, self.nodes, self.known = 0, [], {}

    def made(self, key, compute, operations, extent=None, **known):
        if key not in self.known:
            self.operations += operations
            self.known[key] = Node(len(self.nodes), compute(), extent, **known)
            self.nodes.append(self.known[key])
        return Value(self, self.known[key])

    # ---- Leaves

    def leaf(self, name, array, symmetric=False):
        return self.made(("leaf", name), lambda: array, 0, symmetric=symmetric)

    def number(self, number):
        negative = number < 0
        return self.constant(abs(float(number)), ()).signed(negative)

    def constant(self, number, shape):
        return self.made(("constant", number, shape), lambda: np.full(shape, number), 0, (1,) * len(shape), fill=number,
                         symmetric=len(shape) == 2 and shape[0] == shape[1])

    def of(self, value):
        return value if isinstance(value, Value) else self.number(value)

    def eye(self, n):
        return self.diag(self.constant(1.0, (n,)))

    # ---- Elementwise

    def broadcast(self, value, shape):
        if value.shape == shape:
            return value
        extent = (1,) * (len(shape) - value.rank) + value.extent
        known = value.plus
        return self.made(("broadcast", value.key, shape), lambda: np.broadcast_to(known.array, shape), 0, extent,
                         fill=value.node.fill).signed(value.negative)

    def flipped(self, key):
        number, transposed = key
        node = self.nodes[number]
        return (number, transposed if node.symmetric or node.array.ndim == 0 else not transposed)

    def commuting(self, kind, a, b, keys, flipped, compute):
        """An operator whose order does not matter; of two ways to read it the smaller one is the node."""
        ranks = {v.rank for v in (a, b) if v.rank}
        keys, flipped, extent = sorted(keys), sorted(flipped), np.broadcast_shapes(a.extent, b.extent)
        swap = ranks == {2} and flipped < keys
        shape = np.broadcast_shapes(a.shape, b.shape)
        known = {kind: min(keys, flipped) if swap else keys, "symmetric": len(shape) == 2 and keys == flipped}
        made = self.made((kind, tuple(known[kind]), shape[::-1] if swap else shape),
                         lambda: compute().T if swap else compute(), elements(extent), extent[::-1] if swap else extent, **known)
        row = ranks == {1} and any(v.rank and v.transposed for v in (a, b))
        return made.T if swap or row else made

    def constants(self, a, b, operator):
        number = operator(a.fill, b.fill)
        return self.constant(abs(number), np.broadcast_shapes(a.shape, b.shape)).signed(number < 0)

    def together(self, a, b):
        """Two operands and their common shape; a list goes along the last axis of a matrix."""
        if {a.rank, b.rank} == {1, 2}:
            a, b = (self.along(v) if v.rank == 1 else v for v in (a, b))
        try:
            return a, b, np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise FormulaError(f"shapes {a.shape} and {b.shape} do not go together") from None

    def multiply(self, a, b):
        (a, b, shape), negative = self.together(a, b), a.negative != b.negative
        if a.fill is not None and b.fill is not None:
            return self.constants(a, b, lambda x, y: x * y)
        for x, y in ((a, b), (b, a)):
            if x.node.fill == 0:
                return self.constant(0.0, shape)
            if x.node.fill == 1:
                return self.broadcast(y, shape).signed(x.negative)
            if x.diagonal is not None and shape == x.shape:
                return self.diag(self.multiply(x.diagonal, y if y.rank == 0 else self.diagonal_of(self.broadcast(y, shape))))
        a, b = a.plus, b.plus
        keys = [k for v in (a, b) for k in self.factors(v)]
        return self.commuting("factors", a, b, keys, [self.flipped(k) for k in keys],
                              lambda: a.array * b.array).signed(negative)

    def factors(self, value):
        keys = value.node.factors or [(value.node.number, False)]
        return [self.flipped(k) for k in keys] if value.transposed else keys

    def divide(self, a, b):
        (a, b, shape), negative = self.together(a, b), a.negative != b.negative
        if a.fill is not None and b.fill is not None:
            return self.constants(a, b, lambda x, y: x / y)
        if b.node.fill == 1 or a.node.fill == 0:
            return self.broadcast(a, shape).signed(b.negative)
        if a.diagonal is not None and b.rank == 0:
            return self.diag(self.divide(a.diagonal, b))
        a, b = a.plus, b.plus
        if 2 in (a.rank, b.rank) and all(v.transposed or v.fill is not None or v.rank == 0 for v in (a, b)):
            return self.divide(a.T, b.T).T.signed(negative)
        extent = np.broadcast_shapes(a.extent, b.extent)
        return self.made(("divide", a.key, b.key, shape), lambda: a.array / b.array, elements(extent), extent).signed(negative)

    def terms(self, value):
        keys = value.node.terms or [((value.node.number, False), False)]
        return [(self.flipped(k) if value.transposed else k, s != value.negative) for k, s in keys]

    def add(self, a, b):
        a, b, shape = self.together(a, b)
        if a.fill is not None and b.fill is not None:
            return self.constants(a, b, lambda x, y: x + y)
        for x, y in ((a, b), (b, a)):
            if x.node.fill == 0:
                return self.broadcast(y, shape)
        if a.diagonal is not None and b.diagonal is not None:
            return self.diag(self.add(a.diagonal, b.diagonal))
        for x, y in ((a, b), (b, a)):
            if x.diagonal is not None and y.shape == x.shape:
                return self.made(("to diagonal", x.key, x.negative, y.key, y.negative), lambda: x.array + y.array, shape[0])
        keys = self.terms(a) + self.terms(b)
        negative = min(keys)[1]
        keys = [(k, s != negative) for k, s in keys]
        return self.commuting("terms", a, b, keys, [(self.flipped(k), s) for k, s in keys],
                              lambda: -(a.array + b.array) if negative else a.array + b.array).signed(negative)

    def power(self, a, b):
        if b.fill == 1:
            return a
        if b.fill == 2:
            return self.multiply(a, a)
        return self.pair("pow", a, b)

    def pair(self, name, a, b):
        a, b, shape = self.together(a, b)
        extent = np.broadcast_shapes(a.extent, b.extent)
        return self.made((name, a.key, a.negative, b.key, b.negative, shape),
                         lambda: PAIRS[name](a.array, b.array), elements(extent), extent)

    def where(self, condition, a, b):
        parts = (condition, a, b)
        extent = np.broadcast_shapes(*(v.extent for v in parts))
        return self.made(("where", *((v.key, v.negative) for v in parts)),
                         lambda: np.where(condition.array != 0, a.array, b.array), elements(extent), extent)

    def map(self, name, a):
        of = Value(self, a.node, False, a.negative)
        made = self.made((name, a.node.number, a.negative), lambda: ELEMENTWISE[name](of.array), elements(of.extent), of.extent,
                         symmetric=a.node.symmetric)
        return made.T if a.transposed else made

    # ---- Over and along axes

    def reduce(self, name, a, axis=None, keepdims=False):
        """Over an axis, or over all."""
        if name == "sum" and a.diagonal is not None:
            return self.reduce(name, a.diagonal, keepdims=keepdims) if axis is None else a.diagonal
        if a.rank == 0:
            return a
        extent = np.sum(np.empty(a.extent), axis=axis, keepdims=keepdims).shape
        negative, over = name == "sum" and a.negative, a.rank if axis is None or a.rank == 1 else axis
        of = a.plus if name == "sum" else a
        key = (a.node.number, (over != a.transposed) if over < a.rank else None, of.negative)
        made = self.made((name, *key, keepdims and a.key), lambda: REDUCTIONS[name](of.array, axis=axis, keepdims=keepdims),
                         elements(a.extent) - elements(extent), extent)
        return made.signed(negative)

    def logsumexp(self, a, axis=None, keepdims=False):
        def compute():
            top = np.max(a.array, axis=axis, keepdims=True)
            value = top + np.log(np.sum(np.exp(a.array - top), axis=axis, keepdims=True))
            return value if keepdims else np.squeeze(value, axis=axis)
        return self.made(("logsumexp", a.key, a.negative, axis, keepdims), compute, 4 * elements(a.extent))

    def softmax(self, a, axis=-1, log=False):
        def compute():
            shifted = a.array - np.max(a.array, axis=axis, keepdims=True)
            total = np.sum(np.exp(shifted), axis=axis, keepdims=True)
            return shifted - np.log(total) if log else np.exp(shifted) / total
        return self.made(("softmax", a.key, a.negative, axis, log), compute, 5 * elements(a.extent))

    # ---- Matrices

    def chain(self, value):
        keys = value.node.chain or [(value.node.number, False)]
        return self.reversed(keys) if value.transposed else keys

    def reversed(self, keys):
        return [self.flipped(k) for k in keys[::-1]]

    def chained(self, a, b, compute, operations, extent):
        """The product a b, of which the keys read as a chain from a's rows to b's columns, or as that of its transpose
        (but not if it is a list)."""
        keys, rank = self.chain(a) + self.chain(b), len(extent)
        flipped = self.reversed(keys)
        swap = rank != 1 and flipped < keys
        made = self.made(("@", tuple(flipped if swap else keys), rank), lambda: compute().T if swap else compute(),
                         operations, extent[::-1] if swap else extent, chain=flipped if swap else keys,
                         symmetric=rank == 2 and flipped == keys)
        return made.T if swap else made

    def product(self, a, b):
        need(a.rank and b.rank, "a scalar in a matrix product")
        negative, a, b = a.negative != b.negative, a.plus, b.plus
        if a.rank == 1 and b.rank == 1:
            outer = b.transposed and not a.transposed
            return (self.outer(a, b) if outer else self.dot(a, b)).signed(negative)
        if a.rank == 1:
            made = self.product(b.T, a.T if a.transposed else a)
            return (made.T if a.transposed else made).signed(negative)
        need(a.shape[1] == b.shape[0], f"a product of {a.shape} and {b.shape}")
        return self.matrix_product(a, b).signed(negative)

    def matrix_product(self, a, b):
        if a.diagonal is not None and b.diagonal is not None:
            return self.diag(self.multiply(a.diagonal, b.diagonal))
        if b.diagonal is not None:
            return self.multiply(a, self.along(b.diagonal))
        if a.diagonal is not None:
            return self.multiply(a.diagonal, b) if b.rank == 1 else self.multiply(b.T, self.along(a.diagonal)).T
        rows, columns = a.extent[0], b.extent[1] if b.rank == 2 else 1
        inner = a.shape[1]
        each = inner - 1 if 1 in (a.fill, b.fill) else 2 * inner - 1
        operations = 0 if a.fill is not None and b.fill is not None else rows * columns * each
        return self.chained(a, b, lambda: a.array @ b.array, operations, (rows, columns)[:b.rank])

    def along(self, vector):
        """A list as a matrix of one row."""
        of = vector.node
        return self.made(("row", of.number), lambda: of.array.reshape(1, -1), 0, (1,) + of.extent,
                         fill=of.fill).signed(vector.negative)

    def column(self, value):
        return Value(self, value.node, False, value.negative) if value.rank == 1 else value

    def outer(self, a, b):
        need(a.rank == b.rank == 1, f"outer of {a.shape} and {b.shape}")
        negative, a, b = a.negative != b.negative, self.column(a.plus), self.column(b.plus)
        ones = 1 in (a.fill, b.fill)
        extent = a.extent + b.extent
        right = Value(self, b.node, True)
        if a.fill is not None and b.fill is not None:
            return self.constant(a.fill * b.fill, a.shape + b.shape).signed(negative)
        return self.chained(a, right, lambda: np.outer(a.array, b.array), 0 if ones else elements(extent), extent).signed(negative)

    def dot(self, a, b):
        need(a.rank == b.rank == 1 and a.shape == b.shape, f"dot of {a.shape} and {b.shape}")
        negative, a, b = a.negative != b.negative, self.column(a.plus), self.column(b.plus)
        row = Value(self, a.node, True)
        return self.chained(row, b, lambda: np.asarray(a.array @ b.array), 2 * a.shape[0] - 1, ()).signed(negative)

    def factor(self, a):
        need(a.rank == 2 and a.shape[0] == a.shape[1], f"a square matrix, not {a.shape}")
        self.made(("factor", a.node.number), lambda: 0, a.shape[0] ** 3 if a.node.diagonal is None else a.shape[0])

    def inv(self, a):
        self.factor(a)
        if a.diagonal is not None:
            return self.diag(self.divide(self.number(1), a.diagonal))
        made = self.made(("inv", a.node.number), lambda: np.linalg.inv(a.node.array), 0, symmetric=a.node.symmetric)
        return (made.T if a.transposed else made).signed(a.negative)

    def det(self, a):
        self.factor(a)
        return self.made(("det", a.node.number, a.negative), lambda: np.linalg.det(a.array), 0)

    def logdet(self, a):
        self.factor(a)
        return self.made(("logdet", a.node.number), lambda: np.linalg.slogdet(a.array)[1], 0)

    def matpow(self, a, exponent):
        if exponent <= 0:
            return self.eye(a.shape[0]) if exponent == 0 else self.inv(self.matpow(a, -exponent))
        return a if exponent == 1 else self.product(self.matpow(a, exponent - 1), a)

    def diag(self, a):
        """The diagonal matrix of a list."""
        a = self.column(a)
        of = a.plus
        return self.made(("diag", a.node.number), lambda: np.diag(of.array), 0, symmetric=True, diagonal=of).signed(a.negative)

    def diagonal_of(self, a):
        need(a.rank == 2 and a.shape[0] == a.shape[1], f"the diagonal of {a.shape}")
        of = a.plus
        return a.diagonal or self.moved(("diagonal", a.node.number), a, lambda: np.diag(of.array))

    def trace(self, a):
        return self.reduce("sum", self.diagonal_of(a))

    def moved(self, key, a, compute):
        """The elements of a in other places; compute takes them without their sign."""
        return self.made(key, compute, 0, fill=a.node.fill).signed(a.negative)

    def triangle(self, name, a):
        of = a.plus
        return self.moved((name, a.key), a, lambda: getattr(np, name)(of.array))

    def reshape(self, a, shape, order="C"):
        of = a.plus
        return self.moved(("reshape", a.key, shape, order), a, lambda: of.array.reshape(shape, order=order))

    def slice(self, a, places):
        of = a.plus
        return self.moved(("slice", a.key, str(places)), a, lambda: of.array[tuple(places)])

    def stack(self, parts, beside):
        def matrix(v):
            return v.array if v.rank == 2 else v.array.reshape((1, -1) if v.transposed else (-1, 1))
        lists = all(v.rank < 2 for v in parts) and all((v.transposed or v.rank == 0) == beside for v in parts)
        arrays = [np.atleast_1d(v.array) if lists else matrix(v) for v in parts]
        axis = 1 if beside and not lists else 0
        made = self.made(("stack", beside, *((v.key, v.negative) for v in parts)), lambda: np.concatenate(arrays, axis), 0)
        return made.T if lists and beside else made

    def kron(self, a, b):
        return self.made(("kron", a.key, a.negative, b.key, b.negative), lambda: np.kron(a.array, b.array),
                         elements(a.shape) * elements(b.shape))

    def einsum(self, pattern, parts, places, sizes):
        """places: of a letter, {letter: step, "": offset}; sizes: of letters that no part has."""
        inputs, result = pattern.split("->")
        sizes = {**sizes, **{l: n for ls, v in zip(inputs.split(","), parts) for l, n in zip(ls, v.shape)}}
        arrays, inputs = [v.array for v in parts], inputs.split(",")
        for letter, steps in places.items():
            arms = [l for l in steps if l]
            at = steps.get("", 0) + sum(np.arange(sizes[l]).reshape([-1 if k == l else 1 for k in arms]) * steps[l] for l in arms)
            arrays.append((np.arange(sizes[letter]).reshape([-1] + [1] * len(arms)) == at[None]) * 1.0)
            inputs.append(letter + "".join(arms))
        loop = {l for ls in pattern.split("->")[0].split(",") for l in ls} | {l for s in places.values() for l in s if l}
        each = max(len(parts) - 1, 0) + bool(loop - set(result) - {l for s in places.values() for l in s})
        key = ("einsum", pattern, str(places), *((v.key, v.negative) for v in parts))
        return self.made(key, lambda: np.einsum(",".join(inputs) + "->" + result, *arrays, optimize=True),
                         each * elements([sizes[l] for l in loop]))


TOKEN = re.compile(r'\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|("[^"]*")|(<=|>=|==|!=|\.T\b|[-+*/@\\^\'()\[\],:;<>=]))')


def tokens(text):
    at, found = 0, []
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        need(match, f"cannot read {text[at:]!r}")
        found.append(match.group(match.lastindex))
        at = match.end()
    return found + [""]


class Scope:
    """What names mean: values; texts, evaluated where they are read; dimensions, which are numbers too."""

    def __init__(self, count, values, texts, dims):
        self.count, self.values, self.texts, self.dims = count, dict(values), texts, dims

    def named(self, name):
        if name not in self.values:
            if name in self.dims:
                return self.count.number(self.dims[name])
            need(name in self.texts, f"no value is called {name}")
            self.values[name] = self.value(self.texts[name])
        return self.values[name]

    def value(self, text, shape=None):
        """The value of an expression; shape is that of the result, where an einsum does not say it."""
        reader = Reader(self, text, shape)
        value = reader.expression()
        need(reader.next() == "", f"a part of {text!r} was not read")
        return value


class Reader:
    """Recursive descent over one expression, a method a level, loosest first."""

    def __init__(self, scope, text, shape):
        self.scope, self.count, self.tokens, self.at, self.shape = scope, scope.count, tokens(text), 0, shape

    def next(self):
        return self.tokens[self.at]

    def take(self, *wanted):
        token = self.next()
        if wanted and token not in wanted:
            return None
        self.at += 1
        return token

    def must(self, token):
        need(self.take(token), f"{token!r} is missing before {self.next()!r}")

    def expression(self):
        value = self.sum()
        while operator := self.take("<", "<=", ">", ">=", "==", "!="):
            value = self.count.pair(operator, value, self.sum())
        return value

    def sum(self):
        value = self.product()
        while operator := self.take("+", "-"):
            right = self.product()
            value = value + right if operator == "+" else value - right
        return value

    def product(self):
        value = self.unary()
        while operator := self.take("*", "/", "@", "\\"):
            right = self.unary()
            if operator == "\\":
                value = self.count.product(self.count.inv(value), right)
            else:
                value = {"*": self.count.multiply, "/": self.count.divide, "@": self.count.product}[operator](value, right)
        return value

    def unary(self):
        return -self.unary() if self.take("-") else self.power()

    def power(self):
        value = self.postfix()
        return self.count.power(value, self.exponent()) if self.take("^") else value

    def exponent(self):
        return -self.exponent() if self.take("-") else self.power()

    def postfix(self):
        value = self.primary()
        while True:
            if self.take("'", ".T"):
                value = value.T
            elif self.take("["):
                value = self.indexed(value)
            else:
                return value

    def primary(self):
        token = self.take()
        if token == "(":
            value = self.expression()
            self.must(")")
            return value
        if token == "[":
            return self.block()
        need(token and (token[0].isalnum() or token[0] in "_."), f"a value is missing before {token!r}")
        if token[0].isdigit() or token[0] == ".":
            return self.count.number(float(token))
        return self.call(token) if self.take("(") else self.scope.named(token)

    def number(self):
        value = self.sum()
        need(value.rank == 0, "an index or size that is no number")
        return int(round(float(value.array)))

    def block(self):
        rows, row = [], [self.expression()]
        while not self.take("]"):
            if self.take(";"):
                rows.append(row)
                row = []
            else:
                self.must(",")
            row.append(self.expression())
        return self.count.stack([self.count.stack(r, True) for r in rows + [row]], False)

    def index(self):
        first = None if self.next() == ":" else self.number()
        if not self.take(":"):
            return first
        return slice(first, None if self.next() in (",", "]") else self.number())

    def indexed(self, value):
        places = [self.index()]
        while self.take(","):
            places.append(self.index())
        self.must("]")
        row = value.rank == 1 and value.transposed
        need(len(places) == value.rank, f"{len(places)} indices of {value.rank} axes")
        made = self.count.slice(value, places)
        return made.T if row else made

    def arguments(self):
        """Values, and those that are named."""
        plain, named = [], {}
        while not self.take(")"):
            if plain or named:
                self.must(",")
            if self.tokens[self.at + 1] == "=" and self.next() in ("axis", "keepdims"):
                name = self.take()
                self.must("=")
                named[name] = self.take() == "true" if name == "keepdims" else self.number()
            elif self.next().startswith('"'):
                plain.append(self.take()[1:-1])
            elif self.next() == "[" and plain:
                plain.append(self.sizes())
            elif self.next() == "inf":
                plain.append(self.take())
            else:
                plain.append(self.expression())
        return plain, named

    def sizes(self):
        self.must("[")
        sizes = [self.number()]
        while self.take(","):
            sizes.append(self.number())
        self.must("]")
        return tuple(sizes)

    def call(self, name):
        arguments, named = self.arguments()
        if name == "einsum":
            return self.einsum(arguments)
        if name in ELEMENTWISE and len(arguments) == 1:
            return self.count.map(name, arguments[0])
        if name in PAIRS and len(arguments) == 2:
            return self.count.pair(name, *arguments)
        function = getattr(Functions, name, None)
        need(function, f"no function is called {name}")
        return function(self.count, *arguments, **named)

    def einsum(self, arguments):
        """einsum("lj,km->ijk", A, B) where i = l + p*m"""
        places, sizes = {}, dict(zip(arguments[0].split("->")[1], self.shape or ()))
        if self.take("where"):
            while True:
                letter = self.take()
                self.must("=")
                places[letter] = self.place()
                if not self.take(","):
                    break
        return self.count.einsum(arguments[0], arguments[1:], places, sizes)

    def place(self):
        """1 + p*m + i: steps of letters, and what has none, by ""."""
        steps = {"": 0}
        while True:
            factors = [self.take()]
            while self.take("*"):
                factors.append(self.take())
            letter = factors.pop() if factors[-1].isalpha() and factors[-1] not in self.scope.dims else ""
            step = 1
            for factor in factors:
                step *= int(factor) if factor.isdigit() else self.scope.dims[factor]
            steps[letter] = steps.get(letter, 0) + step
            if not self.take("+"):
                return steps


def reduction(name):
    def function(count, a, axis=None, keepdims=False):
        return count.reduce(name, a, axis, keepdims)
    return staticmethod(function)


class Functions:
    """Functions that are not elementwise, as programs call them."""

    sum, max, min, prod = reduction("sum"), reduction("max"), reduction("min"), reduction("prod")
    logsumexp = staticmethod(lambda count, a, **over: count.logsumexp(a, **over))
    softmax = staticmethod(lambda count, a, axis=-1: count.softmax(a, axis))
    log_softmax = staticmethod(lambda count, a, axis=-1: count.softmax(a, axis, log=True))
    where = staticmethod(lambda count, c, a, b: count.where(c, a, b))
    clamp = staticmethod(lambda count, a, low, high: count.pair("min", count.pair("max", a, low), high))
    reciprocal = staticmethod(lambda count, a: count.divide(count.number(1), a))
    square = staticmethod(lambda count, a: count.multiply(a, a))
    hadamard = staticmethod(lambda count, a, b: count.multiply(a, b))
    silu = staticmethod(lambda count, a: count.multiply(a, count.map("sigmoid", a)))
    inner = staticmethod(lambda count, a, b: count.reduce("sum", count.multiply(a, b)))
    sumsq = staticmethod(lambda count, a: count.reduce("sum", count.multiply(a, a)))
    dot = staticmethod(lambda count, a, b: count.dot(a, b))
    outer = staticmethod(lambda count, a, b: count.outer(a, b))
    trace = tr = staticmethod(lambda count, a: count.trace(a))
    inv = staticmethod(lambda count, a: count.inv(a))
    det = staticmethod(lambda count, a: count.det(a))
    logdet = staticmethod(lambda count, a: count.logdet(a))
    solve = staticmethod(lambda count, a, b: count.product(count.inv(a), b))
    matpow = staticmethod(lambda count, a, k: count.matpow(a, int(k.array)))
    diag = staticmethod(lambda count, a: count.diag(a) if a.rank == 1 else count.diagonal_of(a))
    sym = staticmethod(lambda count, a: (a + a.T) * 0.5)
    kron = staticmethod(lambda count, a, b: count.kron(a, b))
    tril = staticmethod(lambda count, a: count.triangle("tril", a))
    triu = staticmethod(lambda count, a: count.triangle("triu", a))
    vec = staticmethod(lambda count, a: count.reshape(a, (-1,), "F"))
    reshape = staticmethod(lambda count, a, sizes: count.reshape(a, sizes))
    hcat = staticmethod(lambda count, *parts: count.stack(parts, True))
    vcat = staticmethod(lambda count, *parts: count.stack(parts, False))
    eye = staticmethod(lambda count, n: count.eye(int(n.array)))
    ones = staticmethod(lambda count, *sizes: count.constant(1.0, tuple(int(n.array) for n in sizes)))
    zeros = staticmethod(lambda count, *sizes: count.constant(0.0, tuple(int(n.array) for n in sizes)))

    @staticmethod
    def mean(count, a, axis=None, keepdims=False):
        total = count.reduce("sum", a, axis, keepdims)
        return count.divide(total, count.number(a.array.size // max(total.array.size, 1)))

    @staticmethod
    def var(count, a, axis=None, keepdims=False):
        distance = a - Functions.mean(count, a, axis, True)
        return Functions.mean(count, count.multiply(distance, distance), axis, keepdims)

    @staticmethod
    def norm(count, a, kind=None):
        if kind is None:
            return count.map("sqrt", count.reduce("sum", count.multiply(a, a)))
        return count.reduce("max" if kind == "inf" else "sum", count.map("abs", a))
