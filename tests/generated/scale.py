"""Large and deep programs: an answer in time and memory, never a crash."""
import os
import resource

from common import QUIET, RUNTIME, mx, works, write

SECONDS, BYTES = 5, 2 * 10 ** 9
LAYERS = 20000


def chain(count, last, weight="W{i}"):
    lines, value = ["X: [m, n]"], "X"
    for i in range(1, count + 1):
        lines.append(f"H{i} = tanh({value} @ {weight.format(i=i)} + b{i})")
        value = f"H{i}"
    return "\n".join(lines + [last.format(h=value, n=count, half=count // 2)]) + "\n"


def measured(folder, source, options=(), limit=60):
    """Exit status (negative: a signal), seconds of processor time, peak bytes, what was said."""
    path = write(folder, "large.mx", source)
    said = os.path.join(folder, "said")
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_AS, (6 * 10 ** 9, 6 * 10 ** 9))
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.execv(mx.MXC, ["mxc", QUIET, *options, "-o", os.path.join(folder, "large.c"), path])
    _, status, usage = os.wait4(child, 0)
    text = open(said, errors="replace").read(2000)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text


def chains(tap, folder):
    """Time is that of the processor, so that other work on the machine does not count."""
    programs = (("value", chain(LAYERS, "")), ("gradient", chain(LAYERS, "f = sumsq({h})\ngrad f wrt W1, b1, W{half}, b{n}")),
                ("abstract loss", chain(LAYERS, "grad L wrt W1, b1, W{half}, b{n}")),
                ("gradient, one weight for all layers", chain(LAYERS, "f = sumsq({h})\ngrad f wrt W, b{n}", "W")))
    for label, source in programs:
        status, seconds, peak, said = measured(folder, source)
        tap.ok(status == 0, f"{LAYERS} layers, {label}: an answer", f"exit {status}\n{said}")
        tap.ok(seconds < SECONDS, f"{LAYERS} layers, {label}: under {SECONDS} s", f"{seconds:.1f} s")
        tap.ok(peak < BYTES, f"{LAYERS} layers, {label}: under {BYTES / 1e9:.0f} GB", f"{peak / 1e9:.2f} GB")


def derivatives_on_the_way(tap, folder):
    """A gradient by the value of every layer goes through those behind it once each."""
    source = chain(250, "f = sumsq({h})\n" + "".join(f"G{i} = grad(f, H{i})\n" for i in range(1, 251)) + "output f, " +
                   ", ".join(f"G{i}" for i in range(1, 251)))
    status, seconds, _, said = measured(folder, source)
    tap.ok(status == 0, "gradients by 250 values on the way: an answer", f"exit {status}\n{said}")
    tap.ok(seconds < SECONDS, f"gradients by 250 values on the way: under {SECONDS} s", f"{seconds:.1f} s")


def growth(tap, folder):
    """Four times the program takes about four times as long, not sixteen."""
    times = [min(measured(folder, chain(n, "f = sumsq({h})\ngrad f wrt W1, b1, W{half}, b{n}"))[1] for _ in range(2))
             for n in (2000, 8000)]
    tap.ok(times[1] < 7 * times[0], "8000 layers take less than 7 times as long as 2000", times)


DEEP = 100000
ODD = {
    "nested parentheses": "y = " + "(" * DEEP + "x" + ")" * DEEP,
    "unary minus": "y = " + "-" * DEEP + "x",
    "transposes": "Y = X" + "'" * DEEP,
    "an odd number of transposes": "Y = X" + "'" * (DEEP - 1),
    "nested calls": "y = " + "tanh(" * DEEP + "x" + ")" * DEEP,
    "unclosed parentheses": "y = " + "(" * DEEP,
    "powers of powers": "y = " + "^".join(["x"] * 20000),
    "a sum of 20000 terms": "y = " + " + ".join(f"a{i}" for i in range(20000)) + "\ngrad L wrt a0, a19999",
    "one term 20000 times": "y = " + " + ".join(["x"] * 20000) + "\ngrad L wrt x",
    "differences nested to the right": "y = " + "a - (" * 20000 + "b" + ")" * 20000 + "\ngrad L wrt a",
    "a product of 5000 factors": "y = " + " * ".join(f"a{i}" for i in range(5000)) + "\ngrad L wrt a0, a4999",
    "one factor 5000 times": "y = " + " * ".join(["x"] * 5000) + "\ngrad L wrt x",
    "a product of 2000 matrices": "Y = " + " @ ".join(f"A{i}" for i in range(2000)) + "\ngrad L wrt A0, A1999",
    "a name of 100000 letters": "y = " + "a" * DEEP + " + 1",
    "a number of 100000 digits": "y = x * " + "1" * DEEP,
    "1300 values and the gradient of each": "X: [m, n]\n" + "\n".join(f"f{i} = sumsq(tanh(X @ w{i}))\ngrad f{i} wrt w{i}"
                                                                      for i in range(1300)),
    "20000 outputs": "\n".join(f"y{i} = tanh(x + {i})" for i in range(20000)),
    "halvings shared 2000 times": "y0 = x\n" + "\n".join(f"y{i} = tanh(y{i - 1}) * y{i - 1}" for i in range(1, 2000))
                                  + "\ngrad L wrt x",
}


def deep(tap, folder):
    for label, source in ODD.items():
        status, seconds, peak, said = measured(folder, source + "\n")
        tap.ok(status in (0, 1) and (status == 0 or "error" in said), f"{label}: an answer or an error", f"exit {status}\n{said}")
        tap.ok(seconds < SECONDS and peak < BYTES, f"{label}: in time and memory", f"{seconds:.1f} s, {peak / 1e9:.2f} GB")


def compiled(tap, folder):
    """What comes of them is C that both compilers take: brackets nest no deeper than they allow."""
    for label, source in (("2000 nested calls", "y = " + "tanh(" * 2000 + "x" + ")" * 2000 + "\ngrad L wrt x"),
                          ("1000 powers of powers", "y = " + "^".join(["x"] * 1000)),
                          ("2000 nested differences", "y = " + "".join(f"a{i} - tanh(" for i in range(400)) + "b" + ")" * 400),
                          ("a sum of 1000 terms", "y = " + " + ".join(f"a{i}" for i in range(1000))),
                          ("a product of 1000 factors", "y = " + " * ".join(f"a{i}" for i in range(1000))
                           + "\ngrad L wrt a0, a999")):
        status, _, _, said = measured(folder, source + "\n")
        c = os.path.join(folder, "large.c")
        tap.ok(status == 0, f"{label}: an answer", said)
        for compiler in ("gcc", "clang"):
            works(tap, f"{label}: {compiler} takes it", [compiler, *mx.STRICT, "-I", RUNTIME, "-c", c, "-o", c + ".o"])


CASES = (chains, derivatives_on_the_way, growth, deep, compiled)
