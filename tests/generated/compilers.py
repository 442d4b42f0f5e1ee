"""What C and C++ compilers say of the text, and what the objects hold."""
import os
import re

from common import AFFINE, CALCULUS, DIVERSE, LIBRARY, RUNTIME, attempt, calculus, generate, identifier, mx, same
from common import works, write

COMPILERS = ("gcc", "clang")
CXX = ("g++", "clang++")
CXX17 = ["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror"]


def deep_mlp(layers):
    """A network whose every layer is differentiated."""
    lines, value = ["X: [m, n0]", "T: [m, n%d]" % layers], "X"
    for i in range(1, layers + 1):
        lines.append(f"H{i} = {('tanh', 'relu', 'sigmoid')[i % 3]}({value} @ W{i} + b{i})")
        value = f"H{i}"
    variables = ", ".join(f"W{i}, b{i}" for i in range(1, layers + 1))
    return "\n".join(lines + [f"f = sumsq({value} - T)", f"grad f wrt {variables}"]) + "\n"


def pedantic(tap, folder):
    """Both compilers, both element types, all warnings."""
    for case in DIVERSE:
        source = open(calculus(case)).read()
        for real in ("f64", "f32"):
            name = f"{identifier(case + '.mx')}_{real}"
            c, _ = generate(folder, source, name, ["--real=" + real, "--reflect"])
            for compiler in COMPILERS:
                works(tap, f"{case} {real}: {compiler} -std=c99 -pedantic finds nothing",
                      [compiler, *mx.STRICT, "-Wvla", "-O2", "-I", RUNTIME, "-c", c, "-o", c[:-2] + ".o"])


def dialects(tap, folder):
    """The text is also good C11, C17 and GNU C, where more names are macros."""
    for case in ("affine", "names", "logistic"):
        c, _ = generate(folder, open(calculus(case)).read(), identifier(case + ".mx"), ["--reflect"])
        for compiler in COMPILERS:
            for standard in ("c11", "gnu99", "gnu17", "gnu2x"):
                works(tap, f"{case}: {compiler} -std={standard}",
                      [compiler, f"-std={standard}", *mx.STRICT[1:], "-I", RUNTIME, "-c", c, "-o", c[:-2] + ".o"])


CALLER = r"""
#include "affine.h"
#include "affine.h"
#include <cstdio>
int main() {
    const double Z[] = {1, 2, 3, 4}, W[] = {5, 6, 7, 8}, b[] = {9, 10};
    double A[4] = {};
    if (affine_forward_worksize(2, 2, 2) != 0 || affine_forward_savedsize(2, 2, 2) != 0)
        return 2;
    if (affine_forward(2, 2, 2, Z, W, b, A, nullptr, nullptr) != MX_OK)
        return 3;
    std::printf("%g %g %g %g\n", A[0], A[1], A[2], A[3]);
    return 0;
}
"""


def headers(tap, folder):
    """Each header alone, twice, and all in one C++ and one C file."""
    names = []
    for case in DIVERSE:
        names.append(identifier(case + ".mx"))
        generate(folder, open(calculus(case)).read(), names[-1], ["--reflect"])
    for compiler in CXX + COMPILERS:
        flags, suffix = (CXX17, "cpp") if compiler in CXX else (mx.STRICT, "c")
        for name in names:
            source = write(folder, f"alone.{suffix}", f'#include "{name}.h"\n#include "{name}.h"\n'
                           f"extern const mx_module *const here;\nconst mx_module *const here = &{name}_module;\n")
            works(tap, f"{name}.h alone and twice: {compiler}",
                  [compiler, *flags, "-fsyntax-only", "-I", RUNTIME, "-I", folder, source])
        together = write(folder, f"together.{suffix}", "".join(f'#include "{name}.h"\n' for name in names))
        works(tap, f"all headers in one file: {compiler}",
              [compiler, *flags, "-fsyntax-only", "-I", RUNTIME, "-I", folder, together])


def from_cxx(tap, folder):
    c, _ = generate(folder, AFFINE, "affine")
    main = write(folder, "caller.cpp", CALLER)
    mx.run(["gcc", *mx.STRICT, "-O2", "-I", RUNTIME, "-c", c, "-o", c[:-2] + ".o"])
    for compiler in CXX:
        program = os.path.join(folder, "caller")
        if works(tap, f"{compiler}: a C++ program links the C object",
                 [compiler, *CXX17, "-I", RUNTIME, main, c[:-2] + ".o", LIBRARY, "-o", program]):
            same(tap, f"{compiler}: and calls it", attempt([program]), (0, "28 32 52 60\n"))


def wrong_abi(tap, folder):
    """A header of another version, or an earlier one of the same, stops the compiler, and says why."""
    c, h = generate(folder, AFFINE, "affine")
    real = open(os.path.join(RUNTIME, "mxrt.h")).read()
    revision = int(re.search(r"#define MX_ABI_REVISION (\d+)", real)[1])
    for what, pattern, other, message in (
            ("version", r"MX_ABI_VERSION \d+", "MX_ABI_VERSION 2", "version 1 of mxrt.h"),
            ("revision", r"MX_ABI_REVISION \d+", f"MX_ABI_REVISION {revision - 1}", "a later mxrt.h"),
            ("header without revisions", r"MX_ABI_REVISION \d+", "MX_BEFORE_REVISIONS", "a later mxrt.h")):
        changed = re.sub("#define " + pattern, "#define " + other, real)
        tap.ok(changed != real, f"the runtime's header says its {what}")
        refuses(tap, folder, c, what, changed, message)


def refuses(tap, folder, c, what, header, message):
    fake = os.path.join(folder, what)
    os.mkdir(fake)
    write(fake, "mxrt.h", header)
    for name, text in (("user.c", '#include "affine.h"\n'), ("user.cpp", '#include "affine.h"\n')):
        source = write(folder, name, text)
        compiler = "gcc" if name.endswith(".c") else "g++"
        status, said = attempt([compiler, "-fsyntax-only", "-I", fake, "-I", folder, source])
        tap.ok(status == 1 and "#error" in said and message in said,
               f"{name}: another {what} is an #error that names mxrt.h", said)
        works(tap, f"{name}: and the right one is not",
              [compiler, "-fsyntax-only", "-I", RUNTIME, "-I", folder, source])
    status, said = attempt(["gcc", "-I", fake, "-I", RUNTIME, "-c", c, "-o", os.path.join(folder, "a.o")])
    tap.ok(status == 1 and "#error" in said, f"affine.c itself refuses another {what} too", said)


def stack_of(path):
    """The largest frame in a .su file, and whose it is; dynamic frames count as endless."""
    frames = []
    for line in open(path):
        where, size, kind = line.rstrip("\n").split("\t")
        frames.append((int(size) if kind in ("static", "dynamic,bounded") else 10 ** 9, where.split(":")[-1]))
    return max(frames)


MATHS = set("""exp log log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc lgamma
pow hypot atan2 fmin fmax fabs floor ceil copysign""".split())
# Compilers make memmove of a copying loop and sincos of the two at one argument.
ALLOWED = {"memcpy", "memmove", "memset", "sincos", "sincosf", "_GLOBAL_OFFSET_TABLE_"} | MATHS | {m + "f" for m in MATHS}


def runtime_kernels():
    """The entry points of mxrt.h that generated code may call."""
    names = re.findall(r"^MX_API \w+\s+(mx_\w+_f(?:64|32)\w*)\(", open(os.path.join(RUNTIME, "mxrt.h")).read(), re.M)
    return {n for n in names if not n.startswith("mx_ref_")}


def symbols(path):
    """Of an object file: the names that it needs, and the kinds of those that it has."""
    needs, has = set(), {}
    for line in mx.run(["nm", path]).decode().splitlines():
        *_, kind, name = line.split()
        if kind in "Uw":
            needs.add(name)
        else:
            has[name] = kind
    return needs, has


def objects(tap, folder):
    """Of every program: frames under 4 KiB, no array of variable length, nothing needed but products and elementary functions,
    nothing that can be written, only the functions of the header and the table to be seen."""
    allowed = ALLOWED | runtime_kernels()
    programs = [(identifier(path), open(path).read()) for path in CALCULUS] + [("deep", deep_mlp(30))]
    for name, source in programs:
        c, h = generate(folder, source, name, ["--reflect"])
        header = open(h).read()
        for level in ("-O0", "-O2") if name in DIVERSE + ("deep",) else ("-O1",):
            base = os.path.join(folder, name + level)
            if not works(tap, f"{name} {level}: compiles without arrays of variable length",
                         ["gcc", "-std=c99", level, "-Wvla", "-Werror", "-fstack-usage", "-fno-pic", "-I", RUNTIME, "-c", c,
                          "-o", base + ".o"]):
                continue
            size, where = stack_of(base + ".su")
            tap.ok(size < 4096, f"{name} {level}: every frame is under 4096 bytes", f"{size} bytes in {where}")
            needs, has = symbols(base + ".o")
            tap.ok(needs <= allowed, f"{name} {level}: needs the runtime's kernels and elementary functions only", needs - allowed)
            wrong = {n: k for n, k in has.items() if k not in "TtRr"}
            tap.ok(not wrong, f"{name} {level}: nothing that can be written", wrong)
            seen = {n for n, k in has.items() if k in "TR"}
            hidden = {n for n in seen if not re.search(rf"\b{n}\b", header)}
            tap.ok(not hidden and f"{name}_module" in seen, f"{name} {level}: shows what its header declares", hidden)


def compile_time(tap, folder):
    """The text gives optimisers no puzzle: 60 layers compile in seconds of processor time."""
    c, _ = generate(folder, deep_mlp(60), "deep60")
    for compiler in COMPILERS:
        works(tap, f"60 layers: {compiler} -O2 needs less than 15 s",
              ["prlimit", "--cpu=15", compiler, "-std=c99", "-O2", "-I", RUNTIME, "-c", c, "-o", c[:-2] + ".o"])


def position_independent(tap, folder):
    """In a shared library, too, nothing but what the loader relocates."""
    for case in ("affine", "mlp", "reductions-all"):
        c, _ = generate(folder, open(calculus(case)).read(), identifier(case + ".mx"), ["--reflect"])
        mx.run(["gcc", "-std=c99", "-O2", "-fPIC", "-I", RUNTIME, "-c", c, "-o", c[:-2] + ".o"])
        sizes = dict(line.split()[:2] for line in mx.run(["size", "-A", c[:-2] + ".o"]).decode().splitlines()
                     if line.startswith("."))
        same(tap, f"{case} -fPIC: sections .data and .bss are empty", (sizes.get(".data"), sizes.get(".bss")), ("0", "0"))


CASES = (pedantic, dialects, headers, from_cxx, wrong_abi, objects, compile_time, position_independent)
