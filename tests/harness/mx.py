"""What the tests share: compile a program, build what it gives, call it, compare, and say so in TAP."""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MX_BUILD", os.path.join(ROOT, "build"))
MXC = os.environ.get("MXC", os.path.join(BUILD, "mxc"))
DRIVER = os.path.join(ROOT, "tests", "harness", "driver.c")
TILES = os.path.join(ROOT, "tests", "harness", "tiles.c")
TILED = [f"-Dmx_gemm_{real}_hooked=tiled_gemm_{real}_hooked" for real in ("f64", "f32")]
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


class Tap:
    """Numbered results; exit status 1 if any failed."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print(("ok" if good else "not ok"), self.count, "-", name, flush=True)
        if not good and detail:
            print("\n".join("# " + line for line in str(detail).splitlines()), flush=True)
        return good

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


class Failure(Exception):
    """A command that failed, with what it said."""


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


class Module:
    """A compiled program: its facts (--emit=json) and programs that call it, one for each set of compiler flags."""

    def __init__(self, folder, source, options=(), name="module"):
        self.folder, self.name = folder, name
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, name + ".mx")
        with open(self.path, "w") as file:
            file.write(source)
        self.c = os.path.join(folder, name + ".c")
        run([MXC, "-Wno-abstract-loss", *options, "--reflect", "-o", self.c, self.path])
        self.facts = json.loads(run([MXC, *options, "--emit=json", self.path]))
        self.real = np.float32 if self.facts["real"] == "f32" else np.float64

    def functions(self):
        return {f["name"]: f for f in self.facts["functions"]}

    def build(self, compiler="gcc", flags=("-O2",), strict=True, tiled=True):
        """The driver program built with these flags; tiled: prologues and epilogues get small pieces of their product."""
        flags = (*flags, *(TILED if tiled else ()))
        name = "".join(ch if ch.isalnum() else "_" for ch in compiler + "".join(flags))
        program = os.path.join(self.folder, f"{self.name}_{name}")
        if not os.path.exists(program):
            runtime = os.path.join(ROOT, "runtime")
            run([compiler, *(STRICT if strict else ["-std=c99"]), *flags, "-I", runtime, "-c", self.c, "-o", program + ".o"])
            run([compiler, "-std=c99", *flags, "-I", runtime, f"-DMODULE={self.name}_module", DRIVER, *([TILES] if tiled else []), program + ".o",
                 os.path.join(BUILD, "libmxrt.a"), "-pthread", "-lm", "-o", program])
        return program

    def call(self, program, calls, dims, inputs, status=0, threads=1):
        """Calls functions in turn in one process; inputs by name; the last call gives that status. A dictionary of
        outputs, by name, for each call."""
        functions, command, data, shapes = self.functions(), [program], [], []
        for name in calls:
            f = functions[name]
            command += [name + (f"!{status}" if status and name == calls[-1] else "")] + [str(dims[d]) for d in f["dims"] + f["indices"]]
            data += [np.ascontiguousarray(inputs[i["name"]], dtype=self.real).tobytes() for i in f["inputs"]]
            shapes.append([(o["name"], shape_of(o, dims)) for o in f["outputs"]])
        raw = np.frombuffer(run(command, input=b"".join(data), env={**os.environ, "DRIVER_THREADS": str(threads)}), dtype=self.real)
        results, at = [], 0
        for outputs in shapes:
            results.append({})
            for name, shape in outputs:
                count = int(np.prod(shape, dtype=int))
                results[-1][name] = raw[at:at + count].reshape(shape)
                at += count
        return results


def shape_of(argument, dims):
    """The shape of an argument's array: of a diagonal matrix its diagonal."""
    sizes = argument["shape"][:1] if argument.get("structure") == "diagonal" else argument["shape"]
    return tuple(eval(str(size), {"__builtins__": {}}, dict(dims)) for size in sizes)


def structured(value, structure):
    """A random array made one of this structure; what is promised to be unread is NaN."""
    n = value.shape[0] if value.ndim else 1
    if structure == "symmetric":
        return (value + value.T) / 2
    if structure == "spd":
        return value @ value.T + n * np.eye(n)
    if structure in ("lower", "upper"):
        keep = np.tri(n, dtype=bool) if structure == "lower" else np.tri(n, dtype=bool).T
        return np.where(keep, value + 2 * np.eye(n), np.nan)
    if structure == "orthogonal":
        return np.linalg.qr(value)[0] if n else value
    return value


def into_space(value, structure):
    """The projection of a direction or gradient onto the space of matrices of this structure."""
    if structure in ("symmetric", "spd"):
        return (value + np.swapaxes(value, -1, -2)) / 2
    if structure == "lower":
        return np.tril(value)
    return np.triu(value) if structure == "upper" else value


def difference(got, expected):
    """The largest difference relative to the largest element, written so that NaN counts as infinite, and its place."""
    got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if got.shape != expected.shape:
        return np.inf, f"shape {got.shape}, expected {expected.shape}"
    if got.size == 0:
        return 0.0, ""
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(same, 0.0, np.abs(got - expected))
    finite = np.abs(expected[np.isfinite(expected)])
    gap = np.where(np.isnan(gap), np.inf, gap) / max(finite.max() if finite.size else 1.0, 1e-300)
    worst = np.unravel_index(np.argmax(gap), gap.shape)
    return float(gap[worst]), f"at {tuple(map(int, worst))}: got {got[worst]!r}, expected {expected[worst]!r}"


def workspace():
    """A folder that goes away with the process."""
    return tempfile.TemporaryDirectory(prefix="mx-test-")
