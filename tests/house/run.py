#!/usr/bin/python3
"""The order of the house: what stands where, who may include whom, and that the README says what is so."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import mx

FLOORS = ["base", "grammar", "graph", "expand", "check", "lower", "derive", "plan", "emit"]
TOP = {"grammar", "gen", "runtime", "examples", "tests", "Makefile", "README.md", "LICENSE"}


def read(*path):
    with open(os.path.join(mx.ROOT, *path)) as file:
        return file.read()


def tracked():
    try:
        text = mx.run(["git", "-C", mx.ROOT, "ls-files"]).decode().split("\n")
        return [path for path in text if path and os.path.exists(os.path.join(mx.ROOT, path))]
    except (mx.Failure, OSError):
        return [os.path.relpath(p, mx.ROOT) for p in glob.glob(os.path.join(mx.ROOT, "**"), recursive=True)
                if os.path.isfile(p) and not p.startswith(mx.BUILD)]


def floor(path):
    for name in FLOORS:
        if path.startswith(f"gen/{name}/") or (name == "grammar" and path.startswith("grammar/")):
            return FLOORS.index(name)
    return len(FLOORS)


def check_top(tap):
    found = {path.split("/")[0] for path in tracked() if not path.startswith(".")}
    tap.ok(found <= TOP, "the top level holds what it should", f"also {sorted(found - TOP)}")


def check_includes(tap):
    wrong = []
    for path in tracked():
        if not re.match(r"(gen|grammar)/.*\.[chly]$", path):
            continue
        for name in re.findall(r'^#include "([^"]+)"', read(path), re.M):
            target = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if target.startswith(("gen/", "grammar/")) and floor(target) > floor(path):
                wrong.append(f"{path} includes {target}")
    tap.ok(not wrong, "no lower floor includes a higher one", "\n".join(wrong))


def check_sizes(tap):
    wrong = [path for path in tracked() if re.search(r"\.([chly]|def)$", path) and read(path).count("\n") > 900]
    tap.ok(not wrong, "no source has more than 900 lines", "\n".join(wrong))


def check_kernel(tap):
    text = read("runtime", "kernel.c")
    tap.ok(text.count("\n") < 400, "kernel.c is under 400 lines")
    wrong = [path for path in tracked() if path.startswith("runtime/") and re.search(r"\b(__)?asm(__)?\b", read(path))]
    tap.ok(not wrong, "the runtime has no assembly", "\n".join(wrong))


def check_needs(tap):
    """Of libmxrt.a only threads.o needs more than a C library without threads, and nothing needs OpenMP."""
    member, wrong = "", []
    for line in mx.run(["nm", "-u", os.path.join(mx.BUILD, "libmxrt.a")]).decode().splitlines():
        member = line[:-1] if line.endswith(":") else member
        name = line.split()[-1] if line.split() else ""
        strange = re.match(r"(pthread|sched|sem|thrd|mtx|dl|malloc|calloc|GOMP|__kmpc|omp_)", name)
        if strange and (member != "threads.o" or re.match(r"(malloc|calloc|dl|GOMP|__kmpc)", name)):
            wrong.append(f"{member} needs {name}")
    tap.ok(member and not wrong, "only threads.o needs threads, nothing OpenMP or memory", "\n".join(wrong))


def operators():
    table = read("gen", "graph", "ops.def")
    records = re.findall(r'^OP\((\w+),(.*?)\)\n(?=OP|\n|#|/|\Z)', table, re.S | re.M)
    visible = [(name, body) for name, body in records if "OP_HIDDEN" not in body]
    calls = [re.search(r'\.call = "(\w+)(?:\((\w+)\))?"', body) for _, body in visible]
    shown = [(c.group(1), f"x, {c.group(2)}" if c.group(2) else "a, b") if c else None for c in calls]
    return [f"{call[0]}({call[1]})" if call else name for (name, _), call in zip(visible, shown)]


def check_table(tap):
    now = operators()
    rows = dict(re.findall(r"^\| ([^|]*?) \| (.*) \|$", read("README.md"), re.M))
    listed = re.findall(r"`([^`]+)`", rows["functions"])
    tap.ok(listed == now, "the README lists the functions of ops.def", f"README {listed}\nops.def {now}")


def generated_backward():
    with mx.workspace() as folder:
        path = os.path.join(folder, "affine.mx")
        with open(path, "w") as file:
            file.write("A = Z @ W + b; grad L wrt W, Z, b\n")
        text = mx.run([mx.MXC, "-o", "-", path]).decode()
    return re.search(r"^int affine_backward\(.*?^}\n", text, re.S | re.M).group(0)


def check_snippet(tap):
    shown = re.search(r"<!-- begin generated: affine_backward -->\n```c\n(.*?)```\n<!-- end", read("README.md"), re.S)
    tap.ok(shown is not None and shown.group(1) == generated_backward(), "the README shows what mxc generates",
           generated_backward())


def check_commands(tap):
    block = re.search(r"## Quick start.*?```sh\n(.*?)```", read("README.md"), re.S).group(1).strip().split("\n")
    tap.ok(len(block) == 2, "the quick start is two commands", "\n".join(block))
    tap.ok(block[1].replace("make check", "make -j2 check") in read(".ci", "run"), "CI runs the second command")


def check_left_open(tap):
    words = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", r"\bHA" + "CK"]))
    wrong = [path for path in tracked() if re.match(r"(gen|grammar|runtime|examples|tests)/.*\.(c|h|l|y|def|py|mx)$", path)
             and words.search(read(path))]
    tap.ok(not wrong, "nothing is left open", "\n".join(wrong))


def check_digits(tap):
    program = os.path.join(mx.BUILD, "examples", "digits")
    done = subprocess.run([program, os.path.join(mx.ROOT, "examples", "digits", "digits.csv")], timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    share = re.search(rb"test accuracy ([\d.]+) %", done.stdout)
    tap.ok(done.returncode == 0 and share is not None and float(share.group(1)) >= 96,
           "the digits classifier reaches 96 % in 20 s", done.stdout.decode() + done.stderr.decode())
    tap.ok(done.stderr == b"", "and is silent in a pipe", done.stderr.decode())


def rewrite_readme():
    now = operators()
    text = read("README.md")
    for row, names in (("functions", now),):
        line = re.search(rf"^\| {row} \| ([^;|]*)", text, re.M)
        text = text[:line.start(1)] + " ".join(f"`{name}`" for name in names) + " "[:text[line.end(1)] == "|"] + text[line.end(1):]
    text = re.sub(r"(<!-- begin generated: affine_backward -->\n).*?(<!-- end)",
                  lambda found: found.group(1) + "```c\n" + generated_backward() + "```\n" + found.group(2), text, flags=re.S)
    with open(os.path.join(mx.ROOT, "README.md"), "w") as file:
        file.write(text)


def main():
    if sys.argv[1:] == ["--golden"]:
        return rewrite_readme()
    tap = mx.Tap()
    for check in (check_top, check_includes, check_sizes, check_kernel, check_needs, check_table, check_snippet,
                  check_commands, check_left_open, check_digits):
        check(tap)
    tap.done()


main()
