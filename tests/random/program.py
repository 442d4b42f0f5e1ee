"""Random well-shaped programs: one tree of expressions, written both in the language and in PyTorch.

A type is a tuple of dimensions with a kind before it: ("s",), ("v", d), ("r", d), ("M", d, e). Dimensions are the texts
that stand in declarations; equal texts are equal sizes, and "1" stretches. A node is (mx text, strength, torch text, type)
where strength says how tightly the mx text binds, so that few parentheses are written and precedence is tested too."""
from collections import namedtuple

SCALAR = ("s",)
SUM, PRODUCT, UNARY, POWER, ATOM = range(5)
Node = namedtuple("Node", "mx strength torch type")
Input = namedtuple("Input", "name type")

NUMBERS = ("0.5", "2", "3", "1.25", "0.1", "1e-1", "7")
# Names that C, its library, or the emitted code itself would like to have.
AWKWARD = ("double", "work", "saved", "x_", "restrict", "free", "y0", "dim_", "largest_", "tmp0", "i0", "dims")
SMOOTH = ("tanh", "sigmoid", "softplus", "sin", "cos", "square")
KINKED = ("relu", "abs")
REDUCTIONS = ("sum", "mean", "max", "logsumexp")


def inside(node, strength):
    """The mx text of an operand, in parentheses where it would bind too loosely."""
    return node.mx if node.strength >= strength else f"({node.mx})"


class Program:
    """What one seed gives. `size` is roughly how many statements there are and how deep they go."""

    def __init__(self, rng, size):
        self.rng, self.size = rng, size
        self.inputs, self.values, self.lines, self.torch_lines = [], [], [], []
        self.dims = ["m", "n", "k", "p"]
        self.fixed = {d: rng.randint(1, 5) for d in self.dims if rng.random() < 0.1}
        self.pool = self.dims + rng.choices(["1", "n + p", "2*k", "m*n"], k=rng.randint(0, 2))
        self.statements()
        self.requests()

    # ---- Small choices ----

    def chance(self, probability):
        return self.rng.random() < probability

    def dim(self):
        return self.rng.choice(self.pool)

    def type(self):
        kind = self.rng.choice("svrMMM")
        return (kind, *(self.dim() for _ in range({"s": 0, "M": 2}.get(kind, 1))))

    # ---- Building nodes ----

    def call(self, name, *nodes, type, torch=None, named=""):
        arguments = ", ".join(n.mx for n in nodes)
        texts = ", ".join(n.torch for n in nodes)
        return Node(f"{name}({arguments}{named})", ATOM, f"{torch or name}({texts}{named})", type)

    def binary(self, sign, a, b, type):
        strength = SUM if sign in "+-" else PRODUCT
        text = f"{inside(a, strength)} {sign} {inside(b, strength + 1)}"
        return Node(text, strength, f"({a.torch} {sign} {b.torch})", type)

    def number(self, text):
        return Node(text, ATOM, f"number({text})", SCALAR)

    def tie_broken(self, node):
        """Off every kink and tie, whatever the value: a fresh input of random numbers is added."""
        return self.binary("+", node, self.leaf(node.type, fresh=True), node.type)

    def positive(self, node):
        form = self.rng.randrange(4)
        if form == 0:
            return self.binary("+", self.call("square", node, type=node.type), self.number("0.5"), node.type)
        if form == 1:
            return self.binary("+", self.number("1"), self.call("sigmoid", node, type=node.type), node.type)
        if form == 2:
            return self.call("exp", self.call("tanh", node, type=node.type), type=node.type)
        return self.binary("+", self.call("softplus", node, type=node.type), self.number("0.25"), node.type)

    def tame(self, node):
        return self.call(self.rng.choice(("tanh", "sin")), node, type=node.type)

    # ---- Leaves ----

    def new_input(self, type):
        taken = {i.name for i in self.inputs}
        name = f"{ {'s': 's', 'v': 'v', 'r': 'r', 'M': 'X'}[type[0]]}{len(self.inputs)}"
        if self.chance(0.03):
            name = self.rng.choice(AWKWARD)
        if name in taken:
            name = f"w{len(self.inputs)}"
        self.inputs.append(Input(name, type))
        return self.inputs[-1]

    def leaf(self, type, fresh=False):
        if type == SCALAR and not fresh and self.chance(0.4):
            return self.scalar_constant()
        known = [i for i in self.inputs if i.type == type]
        if fresh or not known or self.chance(0.15):
            known = [self.new_input(type)]
        name = self.rng.choice(known).name
        return Node(name, ATOM, f"x_[{name!r}]", type)

    def scalar_constant(self):
        text = self.rng.choice(NUMBERS + ("m", "n", "pi"))
        return Node(text, ATOM, {"m": "number(m)", "n": "number(n)", "pi": "number(3.14159265358979323846)"}
                    .get(text, f"number({text})"), SCALAR)

    def shared(self, type):
        known = [v for v in self.values if v.type == type]
        return self.rng.choice(known) if known else self.leaf(type)

    # ---- Expressions of a type ----

    def expression(self, type, depth):
        if depth <= 0 or self.chance(0.08):
            return self.shared(type) if self.chance(0.5) else self.leaf(type)
        forms = [self.elementwise, self.elementwise, self.arithmetic, self.arithmetic, self.arithmetic, self.power,
                 self.transposed, self.negated, self.typical, self.typical, self.typical, self.typical,
                 self.selected, self.arranged]
        return self.rng.choice(forms)(type, depth - 1)

    def elementwise(self, type, depth):
        node = self.expression(type, depth)
        which = self.rng.randrange(12)
        if which < 2:
            return self.call(self.rng.choice(KINKED), self.tie_broken(node), type=type)
        if which < 4:
            return self.call(self.rng.choice(("log", "sqrt", "reciprocal")), self.positive(node), type=type)
        if which == 4:
            return self.call("exp", self.tame(node), type=type)
        return self.call(self.rng.choice(SMOOTH), node, type=type)

    def stretched(self, type):
        """Types of two operands that broadcast to this one."""
        if type[0] == "s":
            return [type, type]
        if type[0] != "M":
            pair = [type, self.rng.choice([type, type, SCALAR, (type[0], "1")])]
        else:
            row, column = ("M", "1", type[2]), ("M", type[1], "1")
            other = self.rng.choice([type, type, SCALAR, ("v", type[2]), ("r", type[2]), row, column, ("M", "1", "1"), ("v", "1")])
            pair = self.rng.choice([[type, other], [type, other], [type, other], [column, row], [column, ("v", type[2])]])
        self.rng.shuffle(pair)
        return pair

    def arithmetic(self, type, depth):
        a, b = (self.expression(t, depth) for t in self.stretched(type))
        which = self.rng.randrange(9)
        if which == 0:
            return self.binary("/", a, self.positive(b), type)
        if which == 1:
            return self.call("hadamard", a, b, type=type)
        if which == 2:
            return self.call("pow", self.positive(a), self.tame(b), type=type, torch="torch.pow")
        return self.binary("+-**+-"[which - 3], a, b, type)

    def power(self, type, depth):
        node = self.expression(type, depth)
        exponent = self.rng.choice(("2", "2", "3", "4", "1", "0.5", "-1", "-2", "-0.5", "1.5", "5", "0"))
        if exponent in ("3", "4", "5"):
            node = self.tame(node)
        elif exponent not in ("2", "1", "0"):
            node = self.positive(node)
        if exponent == "-1" and type[0] == "M":
            exponent = "-3"  # the language rejects A^-1
        return Node(f"{inside(node, ATOM)}^{exponent}", POWER, f"({node.torch} ** ({exponent}))", type)

    def transposed(self, type, depth):
        kinds = {"s": "s", "v": "r", "r": "v", "M": "M"}
        node = self.expression((kinds[type[0]], *type[:0:-1]), depth)
        sign = "'" if node.mx[0].isdigit() else self.rng.choice(("'", ".T"))  # 2.T is a number gone wrong
        return Node(inside(node, ATOM) + sign, ATOM, f"transposed({node.torch})", type)

    def negated(self, type, depth):
        node = self.expression(type, depth)
        return Node(f"-{inside(node, UNARY)}", UNARY, f"(-{node.torch})", type)

    def typical(self, type, depth):
        """What only this kind of value is made by."""
        forms = {"s": [self.reduced_all, self.reduced_all, self.normed, self.dotted, self.traced, self.inner_product],
                 "v": [self.matrix_vector, self.matrix_vector, self.reduced_axis, self.reduced_axis, self.soft,
                       self.diagonal_of, self.constant],
                 "r": [self.row_matrix, self.soft],
                 "M": [self.matrix_matrix, self.matrix_matrix, self.outer_product, self.soft, self.kept_or_diagonal,
                       self.constant]}[type[0]]
        return self.rng.choice(forms)(type, depth)

    def reduced_all(self, type, depth):
        name = self.rng.choice(REDUCTIONS)
        node = self.expression(self.type(), depth)
        if name == "max":
            node = self.tie_broken(node)
        return self.call(name, node, type=SCALAR, torch=name + "_")

    def normed(self, type, depth):
        name, more = self.rng.choice((("sumsq", ""), ("norm", ""), ("norm", ", 1"), ("norm", ", inf")))
        node = self.expression(self.type(), depth)
        if name == "norm":
            node = self.tie_broken(node)
        return self.call(name, node, type=SCALAR, named=more)

    def dotted(self, type, depth):
        d = self.dim()
        kinds = self.rng.choice(("vv", "rv", "vr", "rr"))
        a, b = (self.expression((kind, d), depth) for kind in kinds)
        if kinds in ("vv", "rv") and self.chance(0.5):
            return self.binary("@", a, b, SCALAR)
        return self.call("dot", a, b, type=SCALAR)

    def traced(self, type, depth):
        d = self.dim()
        return self.call(self.rng.choice(("trace", "tr")), self.expression(("M", d, d), depth), type=SCALAR, torch="torch.trace")

    def inner_product(self, type, depth):
        of = self.type()
        return self.call("inner", self.expression(of, depth), self.expression(of, depth), type=SCALAR)

    def matrix_vector(self, type, depth):
        d = self.dim()
        if self.chance(0.5):
            return self.binary("@", self.expression(("M", type[1], d), depth), self.expression(("v", d), depth), type)
        return self.binary("@", self.expression(("v", d), depth), self.expression(("M", d, type[1]), depth), type)

    def row_matrix(self, type, depth):
        d = self.dim()
        return self.binary("@", self.expression(("r", d), depth), self.expression(("M", d, type[1]), depth), type)

    def matrix_matrix(self, type, depth):
        d = self.dim()
        a, b = self.expression(("M", type[1], d), depth), self.expression(("M", d, type[2]), depth)
        return self.binary("@", a, b, type)

    def outer_product(self, type, depth):
        a, b = self.rng.choice("vr"), self.rng.choice("vr")
        x, y = self.expression((a, type[1]), depth), self.expression((b, type[2]), depth)
        if (a, b) == ("v", "r") and self.chance(0.5):
            return self.binary("@", x, y, type)._replace(torch=f"outer({x.torch}, {y.torch})")
        return self.call("outer", x, y, type=type)

    def reduction(self, node, axis, keepdims, type):
        name = self.rng.choice(REDUCTIONS)
        if name == "max":
            node = self.tie_broken(node)
        written = self.rng.choice((axis, axis, axis - len(node.type) + 1)) if axis == len(node.type) - 2 else axis
        named = f", axis={written}" + (", keepdims=true" if keepdims else "")
        made = self.call(name, node, type=type, torch=name + "_", named=named)
        return made._replace(torch=made.torch.replace("keepdims=true", "keepdims=True"))

    def reduced_axis(self, type, depth):
        if type[1] == "1" and self.chance(0.5):
            return self.reduction(self.expression(("v", self.dim()), depth), 0, True, type)
        axis, d = self.rng.randrange(2), self.dim()
        of = ("M", d, type[1]) if axis == 0 else ("M", type[1], d)
        return self.reduction(self.expression(of, depth), axis, False, type)

    def kept_or_diagonal(self, type, depth):
        if type[1] == "1":
            return self.reduction(self.expression(("M", self.dim(), type[2]), depth), 0, True, type)
        if type[2] == "1":
            return self.reduction(self.expression(("M", type[1], self.dim()), depth), 1, True, type)
        if type[1] == type[2]:
            return self.call("diag", self.expression((self.rng.choice("vr"), type[1]), depth), type=type)
        return self.matrix_matrix(type, depth)

    def soft(self, type, depth):
        axes = ["", f", axis={len(type) - 2}", ", axis=0", ", axis=-1"]
        name = self.rng.choice(("softmax", "log_softmax"))
        named = self.rng.choice(axes)
        return self.call(name, self.expression(type, depth), type=type, named=named, torch=name + "_")

    def diagonal_of(self, type, depth):
        return self.call("diag", self.expression(("M", type[1], type[1]), depth), type=type)

    def constant(self, type, depth):
        if type[0] == "M" and type[1] == type[2] and self.chance(0.5):
            return Node(f"eye({type[1]})", ATOM, f"torch.eye({type[1]})", type)
        name, sizes = self.rng.choice(("ones", "ones", "zeros")), ", ".join(type[1:])
        return Node(f"{name}({sizes})", ATOM, f"torch.{name}({sizes})", type)

    # ---- Elements in other places ----

    def indexed(self, node, indices, type):
        return Node(f"{inside(node, ATOM)}[{indices}]", ATOM, f"{node.torch}[{indices}]", type)

    def selected(self, type, depth):
        """An element, or a slice of something with one row or column more."""
        if type == SCALAR:
            d, e = f"{self.dim()} + 1", f"{self.dim()} + 1"
            i, j = self.rng.choice(("0", "-1")), self.rng.choice(("0", "-1", e[:-4]))
            if self.chance(0.5):
                return self.indexed(self.expression((self.rng.choice("vr"), d), depth), i, type)
            return self.indexed(self.expression(("M", d, e), depth), f"{i}, {j}", type)
        more = [f"{d} + 1" for d in type[1:]]
        ranges = [self.rng.choice(("1:", f":{d}", ":-1", f"1:{d} + 1")) for d in type[1:]]
        if type[0] != "M":
            if type[0] == "v" and self.chance(0.5):
                line = self.rng.choice(("0", "-1"))
                if self.chance(0.5):
                    return self.indexed(self.expression(("M", f"{self.dim()} + 1", type[1]), depth), f"{line}, :", type)
                return self.indexed(self.expression(("M", more[0], f"{self.dim()} + 1"), depth), f"{ranges[0]}, {line}", type)
            return self.indexed(self.expression((type[0], more[0]), depth), ranges[0], type)
        which = self.rng.randrange(3)
        of = ("M", type[1] if which == 1 else more[0], type[2] if which == 0 else more[1])
        if which == 0:
            of, ranges = ("M", more[0], type[2]), [ranges[0], ":"]
        elif which == 1:
            of, ranges = ("M", type[1], more[1]), [":", ranges[1]]
        return self.indexed(self.expression(of, depth), ", ".join(ranges), type)

    def arranged(self, type, depth):
        if type[0] == "M":
            return self.rng.choice((self.triangle, self.cut_stack, self.blocks, self.reshaped))(type, depth)
        if type[0] == "v":
            return self.rng.choice((self.cut_list, self.flattened))(type, depth)
        return self.expression(type, depth)

    def triangle(self, type, depth):
        name = self.rng.choice(("tril", "triu"))
        return self.call(name, self.expression(type, depth), type=type, torch=f"torch.{name}")

    def cut_stack(self, type, depth):
        """What is needed of a stack: all of the second piece, or some of both."""
        axis, d = self.rng.randrange(2), self.dim()
        other = ("M", d, type[2]) if axis == 0 else ("M", type[1], d)
        a, b = self.expression(other, depth), self.expression(type, depth)
        cut = self.rng.choice((f"{d}:", f":{type[1 + axis]}"))
        name, torch = ("vcat", "torch.vstack") if axis == 0 else ("hcat", "torch.hstack")
        text = f"{name}({a.mx}, {b.mx})" if self.chance(0.5) else f"[{a.mx}{'; ' if axis == 0 else ', '}{b.mx}]"
        stack = Node(text, ATOM, f"{torch}(({a.torch}, {b.torch}))", type)
        return self.indexed(stack, f"{cut}, :" if axis == 0 else f":, {cut}", type)

    def blocks(self, type, depth):
        if " + " not in type[2] or type[2].endswith(" 1"):
            return self.reshaped(type, depth)
        left, right = (self.expression(("M", type[1], d), depth) for d in type[2].split(" + "))
        return Node(f"hcat({left.mx}, {right.mx})", ATOM, f"torch.hstack(({left.torch}, {right.torch}))", type)

    def reshaped(self, type, depth):
        if type[1:] in (("m", "n"), ("n", "m")):
            node = self.expression(("v", "m*n"), depth)
            return Node(f"reshape({node.mx}, [{type[1]}, {type[2]}])", ATOM, f"{node.torch}.reshape({type[1]}, {type[2]})", type)
        if type[1] == "2*k":
            a, b = self.expression(("M", "2", "1"), depth), self.expression(("M", "k", type[2]), depth)
            return Node(f"kron({a.mx}, {b.mx})", ATOM, f"torch.kron({a.torch}.contiguous(), {b.torch}.contiguous())", type)
        node = self.expression((*type[:1], *type[:0:-1]), depth)
        return Node(f"reshape({node.mx}, [{type[1]}, {type[2]}])", ATOM, f"{node.torch}.reshape({type[1]}, {type[2]})", type)

    def cut_list(self, type, depth):
        d = self.dim()
        a, b = self.expression(("v", d), depth), self.expression(type, depth)
        stack = Node(f"vcat({a.mx}, {b.mx})", ATOM, f"torch.hstack(({a.torch}, {b.torch}))", type)
        return self.indexed(stack, self.rng.choice((f"{d}:", f":{type[1]}")), type)

    def flattened(self, type, depth):
        if type[1] != "m*n":
            return self.cut_list(type, depth)
        if self.chance(0.3):
            a, b = self.expression(("v", "m"), depth), self.expression(("v", "n"), depth)
            return Node(f"kron({a.mx}, {b.mx})", ATOM, f"torch.kron({a.torch}, {b.torch})", type)
        d, e = self.rng.choice((("m", "n"), ("n", "m")))
        node = self.expression(("M", d, e), depth)
        if self.chance(0.5):
            return Node(f"vec({node.mx})", ATOM, f"{node.torch}.T.reshape(-1)", type)
        return Node(f"reshape({node.mx}, [{d}*{e}])", ATOM, f"{node.torch}.reshape(-1)", type)

    # ---- Statements ----

    def assign(self, name, node):
        self.lines.append(f"{name} = {node.mx}")
        self.torch_lines.append((name, node.torch))
        self.values.append(Node(name, ATOM, f"v_[{name!r}]", node.type))

    def derivative(self):
        """A derivative as an expression, by an input or by a value, of a value that may or may not depend on it."""
        inputs = [Node(i.name, ATOM, f"x_[{i.name!r}]", i.type) for i in self.inputs]
        x = self.rng.choice(inputs + self.values if self.values and inputs else inputs or self.values)
        y = self.rng.choice(self.values)
        form = self.rng.choice(("grad", "grad", "jvp", "vjp", "jac", "hess"))
        if form == "jvp":
            return self.call("jvp", y, x, self.shared(x.type), type=y.type)
        if form == "vjp":
            return self.call("vjp", y, x, self.shared(y.type), type=x.type)
        if form == "jac" and len(y.type) + len(x.type) == 4 and y.type[0] != "M" and x.type[0] != "M":
            return self.call("jac", y, x, type=("M", y.type[1], x.type[1]))
        if form == "hess" and len(x.type) == 2:
            return self.call("hess", self.whole(y), x, type=("M", x.type[1], x.type[1]))
        return self.call("grad", self.whole(y), x, type=x.type)

    def statements(self):
        for i in range(self.rng.randint(1, 2 + self.size)):
            self.assign(f"t{i}", self.expression(self.type(), self.rng.randint(1, 1 + self.size)))
            if self.chance(0.3):
                self.assign(f"d{i}", self.derivative())
        self.losses = ["f", "g"][:self.rng.choice((0, 1, 1, 2))]
        for name in self.losses:
            parts = [self.whole(v) for v in self.rng.sample(self.values, min(len(self.values), 3))]
            node = parts[0]
            for part in parts[1:]:
                node = self.binary(self.rng.choice("+-*"), node, part, SCALAR)
            self.assign(name, node)

    def whole(self, value):
        if value.type == SCALAR:
            return value
        name, torch = self.rng.choice((("sum", "sum_"), ("mean", "mean_"), ("logsumexp", "logsumexp_"), ("sumsq", "sumsq"), ("", "")))
        if name:
            return self.call(name, value, type=SCALAR, torch=torch)
        return self.call("inner", value, self.leaf(value.type), type=SCALAR)

    def requests(self):
        self.abstract = not self.losses or self.chance(0.6)
        outputs = [v.mx for v in self.values if v.mx not in self.losses]
        lines = [f"grad {loss} wrt {self.variables()}" for loss in self.losses if self.inputs]
        if not self.inputs:
            self.new_input(SCALAR)
            self.abstract = False
        if self.abstract:
            lines.append(f"output {', '.join(self.rng.sample(outputs, self.rng.randint(1, min(3, len(outputs)))))}")
            lines.append(f"grad L wrt {self.variables()}")
        self.lines += lines

    def variables(self):
        return ", ".join(i.name for i in self.rng.sample(self.inputs, self.rng.randint(1, min(4, len(self.inputs)))))

    # ---- The two texts ----

    def source(self):
        header = [f"dim {d} = {n}" for d, n in self.fixed.items()]
        header += [f"{i.name}: {shape_text(i.type)}" for i in self.inputs]
        unnamed = [d for d in self.dims if d not in self.fixed and not any(d in "".join(i.type[1:]) for i in self.inputs)]
        header += [f"dim {d}" for d in unnamed]
        return "\n".join(header + self.lines) + "\n"

    def sizes(self, rng):
        """Sizes for the dimensions that are not fixed: mostly small, now and then none at all."""
        low = 0 if rng.random() < 0.15 else 1
        return {d: self.fixed.get(d, rng.randint(low, 6)) for d in self.dims}


def shape_text(type):
    if type == SCALAR:
        return "scalar"
    return ("row " if type[0] == "r" else "") + "[" + ", ".join(type[1:]) + "]"
