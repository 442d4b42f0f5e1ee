"""What the groups share: running the command, loading generated functions into this process, programs to try."""
import ctypes
import glob
import json
import os
import re
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

AFFINE = "A = Z @ W + b; grad L wrt W, Z, b\n"
RUNTIME = os.path.join(mx.ROOT, "runtime")
LIBRARY = os.path.join(mx.BUILD, "libmxrt.a")
CALCULUS = sorted(glob.glob(os.path.join(mx.ROOT, "tests", "calculus", "*.mx")))
DIVERSE = ("affine", "attention", "broadcasting", "extremes-softmax", "fixed", "keepdims-axis1", "kinds", "kink-max",
           "layernorm", "logistic", "mlp", "mlp-abstract", "names", "powers", "products", "rbf", "reductions-all")
QUIET = "-Wno-abstract-loss"
SIZE_MAX = 2 ** 64 - 1
GUARD = 64
LIMITED = ["prlimit", "--as=4000000000", "--cpu=20"]  # a command that never ends fails instead


def calculus(name):
    return next(path for path in CALCULUS if os.path.basename(path) == name + ".mx")


def identifier(path):
    return "".join(ch if ch.isalnum() else "_" for ch in os.path.basename(path)[:-3])


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def read(folder, name):
    with open(os.path.join(folder, name)) as file:
        return file.read()


def attempt(command, **more):
    """Exit status (negative: a signal) and everything that the command said."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    return done.returncode, done.stdout.decode(errors="replace")


def works(tap, name, command, **more):
    """A case: the command succeeds and says nothing on the way that is an error."""
    status, said = attempt(command, **more)
    return tap.ok(status == 0, name, f"{' '.join(map(str, command))}\nexit {status}\n{said[:4000]}")


def same(tap, name, got, expected):
    return tap.ok(got == expected, name, f"got      {got!r}\nexpected {expected!r}")


def near(tap, name, got, expected, tolerance=1e-13):
    gap, where = mx.difference(got, expected)
    return tap.ok(gap <= tolerance, name, f"off by {gap:.3g} {where}")


def generate(folder, source, name="module", options=()):
    """The paths of the .c and .h file."""
    path = write(folder, name + ".mx", source)
    c = os.path.join(folder, name + ".c")
    mx.run([*LIMITED, mx.MXC, QUIET, *options, "-o", c, path])
    return c, c[:-2] + ".h"


def shape_of(argument, dims):
    """Sizes in numbers, of a diagonal matrix its diagonal's; a dimension may have the name of a Python keyword. That of
    a slice that cannot be is 0."""
    stored = argument["shape"][:1] if argument.get("structure") == "diagonal" else argument["shape"]
    sizes = (eval(re.sub(r"[A-Za-z_]\w*", lambda name: str(dims[name.group()]), str(size))) for size in stored)
    return tuple(max(size, 0) for size in sizes)


class Guarded:
    """So many bytes that begin at an address = shift modulo 64, between guards that nothing may touch."""

    def __init__(self, size, shift=0, fill=0xFF):
        self.size = size
        self.bytes = np.full(size + 2 * GUARD + 64, 0xA5, dtype=np.uint8)
        self.at = GUARD + (shift - GUARD - self.bytes.ctypes.data) % 64
        self.bytes[self.at:self.at + size] = fill

    def pointer(self):
        return ctypes.c_void_p(self.bytes.ctypes.data + self.at)

    def content(self):
        return self.bytes[self.at:self.at + self.size]

    def intact(self):
        return bool(np.all(self.bytes[:self.at] == 0xA5) and np.all(self.bytes[self.at + self.size:] == 0xA5))


class Library:
    """A program's functions, callable in this process with every array between guards."""

    def __init__(self, folder, source, name="module", options=()):
        self.name = name
        self.c, self.h = generate(folder, source, name, options)
        self.facts = json.loads(mx.run([mx.MXC, QUIET, *options, "--emit=json", os.path.join(folder, name + ".mx")]))
        self.real = np.dtype(np.float32 if self.facts["real"] == "f32" else np.float64)
        self.functions = {f["name"]: f for f in self.facts["functions"]}
        shared = os.path.join(folder, name + ".so")
        mx.run(["gcc", "-std=c99", "-O1", "-fPIC", "-shared", "-I", RUNTIME, self.c, LIBRARY, "-lm", "-o", shared])
        self.code = ctypes.CDLL(shared)

    def size(self, what, function, *dims):
        entry = self.code[f"{self.name}_{function}_{what}"]
        entry.restype = ctypes.c_size_t
        return entry(*[ctypes.c_size_t(d) for d in dims])

    def input(self, argument, inputs):
        value = np.ascontiguousarray(inputs[argument["name"]], dtype=self.real)
        if argument["shape"] == []:
            return None, ctypes.c_float(float(value)) if self.real.itemsize == 4 else ctypes.c_double(float(value))
        buffer = Guarded(value.nbytes, 8)
        buffer.content()[:] = np.frombuffer(value.tobytes(), dtype=np.uint8)
        return buffer, buffer.pointer()

    def area(self, what, function, dims, shift):
        size = self.size(what, function, *dims)
        return Guarded(size, shift) if size else None

    def call(self, function, dims, inputs, saved=None, shift=1, status=0):
        """Outputs by name and what was saved. Raises where a promise about memory or the result is broken."""
        about = self.functions[f"{self.name}_{function}"]
        values = [dims[d] for d in about["dims"]]
        given = [self.input(argument, inputs) for argument in about["inputs"]]
        outputs = {o["name"]: Guarded(int(np.prod(shape_of(o, dims), dtype=int)) * self.real.itemsize, 8)
                   for o in about["outputs"]}
        before = [buffer.bytes.copy() for buffer, _ in given if buffer]
        work = self.area("worksize", function, values, shift)
        if about["kind"] == "forward":
            saved = self.area("savedsize", function, values, shift)
        kept = saved.bytes.copy() if about["kind"] == "backward" and saved else None
        indices = [dims[i] for i in about["indices"]]
        arguments = [ctypes.c_size_t(d) for d in values + indices] + [pointer for _, pointer in given]
        arguments += [o.pointer() for o in outputs.values()]
        if about["saved"]:
            arguments.append(saved.pointer() if saved else ctypes.c_void_p(None))
        arguments.append(work.pointer() if work else ctypes.c_void_p(None))
        result = self.code[f"{self.name}_{function}"](*arguments)
        broken = [] if result == status else [f"result {result}"]
        broken += ["an input was written"] * any(
            not np.array_equal(old, buffer.bytes) for old, buffer in zip(before, [b for b, _ in given if b]))
        broken += [f"wrote beside {name}" for name, o in outputs.items() if not o.intact()]
        broken += ["wrote beside work"] * (work is not None and not work.intact())
        broken += ["wrote beside saved"] * (saved is not None and not saved.intact())
        broken += ["saved was written by backward"] * (kept is not None and not np.array_equal(kept, saved.bytes))
        if broken:
            raise mx.Failure(f"{function} {dims}: {', '.join(broken)}")
        shapes = {o["name"]: shape_of(o, dims) for o in about["outputs"]}
        return {n: np.frombuffer(o.content().tobytes(), self.real).reshape(shapes[n]) for n, o in outputs.items()}, saved

    def forward_backward(self, dims, inputs, shift=1):
        values, saved = self.call("forward", dims, inputs, shift=shift)
        return values, self.call("backward", dims, inputs, saved=saved, shift=shift)[0]
