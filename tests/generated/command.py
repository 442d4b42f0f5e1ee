"""The command's files: the same bytes everywhere, whole or not at all, and what make is told."""
import datetime
import os
import re
import socket

from common import AFFINE, DIVERSE, QUIET, attempt, calculus, identifier, mx, read, same, write

BAD = """Z: [m, k]
W: [n, k]
b: [n]
A = Z @ W + b
"""
MESSAGE = "layer.mx:4:7: error[E0203]: inner dimensions of '@' differ: k (columns of Z) and n (rows of W)"


def comma_locale(folder):
    """An environment whose decimal point is a comma, and its name; C.UTF-8 where none can be made."""
    place = os.path.join(folder, "locales")
    os.makedirs(place, exist_ok=True)
    status, _ = attempt(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", os.path.join(place, "de_DE.UTF-8")])
    if status in (0, 1) and os.path.isdir(os.path.join(place, "de_DE.UTF-8")):
        return {"LOCPATH": place, "LC_ALL": "de_DE.UTF-8"}, "de_DE.UTF-8"
    return {"LC_ALL": "C.UTF-8"}, "C.UTF-8"


def emissions(folder, path, name, environment):
    """Everything that can be written about a program; made in this folder, whose path is spelled as given."""
    made = {}
    for what, options, reading in (("c", ["-o", os.path.join(path, name + ".c")], (name + ".c", name + ".h")),
                                   *((kind, ["--emit=" + kind, "-o", os.path.join(path, name + "." + kind)],
                                      (name + "." + kind,)) for kind in ("json", "graph", "derivation", "ast"))):
        mx.run([mx.MXC, QUIET, "--reflect", *options, os.path.join(path, name + ".mx")], cwd=folder, env=environment)
        for file in reading:
            with open(os.path.join(folder, file), "rb") as open_file:
                made[file] = open_file.read()
    return made


def same_bytes(tap, folder):
    comma, locale = comma_locale(folder)
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    first, second = os.path.join(folder, "first"), os.path.join(folder, "a much longer name", "second")
    os.makedirs(first)
    os.makedirs(second)
    for case in DIVERSE + ("powers",):
        source, name = open(calculus(case)).read() + "scaled_ = 0.125 * 1e-3 * 3.5\n" * (case == "logistic"), identifier(case + ".mx")
        for place in (first, second):
            write(place, name + ".mx", source)
        made = [emissions(first, "", name, plain), emissions(first, "", name, {**plain, "FILLER": "x" * 5000}),
                emissions(second, second, name, {**plain, **comma, "TZ": "Asia/Tokyo", "HOME": second}),
                emissions(second, "", name, {**plain, **comma})]
        differ = [(i, file) for i, run in enumerate(made) for file in run if run[file] != made[0][file]]
        tap.ok(not differ, f"{case}: the same bytes from two folders, in four environments, under C and {locale}", differ)
        text = b"\n".join(made[2].values()).decode()
        hosts = {socket.gethostname(), os.uname().nodename} if len(socket.gethostname()) > 3 else set()
        leaks = [s for s in {folder, "/tmp", "/work", "/home", "Tokyo", *hosts} if s in text]
        leaks += re.findall(rf"\b{datetime.date.today().year}\b|\d\d:\d\d:\d\d", text)
        tap.ok(not leaks, f"{case}: no path, host or date in the output", leaks)


def program_errors(tap, folder):
    write(folder, "layer.mx", BAD)
    status, said = attempt([mx.MXC, "layer.mx"], cwd=folder)
    same(tap, "E0203: exit 1", status, 1)
    same(tap, "E0203: the first line of the contract's example", said.splitlines()[0], MESSAGE)
    same(tap, "E0203: no file is left", sorted(os.listdir(folder)), ["layer.mx"])
    old = {"layer.c": "old c\n", "layer.h": "old h\n", "layer.d": "old d\n"}
    for name, text in old.items():
        os.utime(write(folder, name, text), ns=(10 ** 18, 10 ** 18))
    for options in ([], ["-MD"], ["--emit=json", "-o", "layer.c"], ["-Werror"], ["-D", "q=3"]):
        status, _ = attempt([mx.MXC, *options, "layer.mx"], cwd=folder)
        same(tap, f"E0203 {' '.join(options)}: exit 1", status, 1)
        kept = {n: read(folder, n) for n in old} == old
        times = {os.stat(os.path.join(folder, n)).st_mtime_ns for n in old}
        tap.ok(kept and times == {10 ** 18}, f"E0203 {' '.join(options)}: older files stay as they were")
    same(tap, "E0203: nothing else is left", sorted(os.listdir(folder)), ["layer.c", "layer.d", "layer.h", "layer.mx"])
    status, said = attempt([mx.MXC, "-o", "-", "layer.mx"], cwd=folder)
    tap.ok(status == 1 and "#include" not in said, "E0203 -o -: nothing on standard output", said)


def file_errors(tap, folder):
    write(folder, "affine.mx", AFFINE)
    write(folder, "plain", "a file\n")
    write(folder, "old.c", "old\n")
    os.mkdir(os.path.join(folder, "taken.h"))
    before = sorted(os.listdir(folder))
    cases = [("a folder that is missing", ["-o", "missing/affine.c"]), ("a folder that is a file", ["-o", "plain/affine.c"]),
             ("a header that cannot be", ["-o", "old.c", "--header=missing/old.h"]),
             ("a header that is a folder", ["-o", "taken.c"]), ("an output that is a folder", ["-o", "taken.h"]),
             ("a dependency file that cannot be", ["-o", "old.c", "-MD", "-MF", "missing/old.d"]),
             ("a full device", ["--emit=json", "-o", "/dev/full"]), ("a name that is too long", ["-o", "x" * 300 + ".c"])]
    if os.geteuid() != 0:
        os.mkdir(os.path.join(folder, "sealed"), 0o555)
        before = sorted(before + ["sealed"])
        cases.append(("a folder without permission", ["-o", "sealed/affine.c"]))
    else:
        cases.append(("a file system that takes no files", ["-o", "/proc/affine.c"]))
    for label, options in cases:
        status, said = attempt([mx.MXC, QUIET, *options, "affine.mx"], cwd=folder)
        same(tap, f"{label}: exit 3", status, 3)
        tap.ok("cannot write" in said, f"{label}: is named", said)
        same(tap, f"{label}: nothing is left", (sorted(os.listdir(folder)), read(folder, "old.c")), (before, "old\n"))
    for label, path in (("a program that is missing", "none.mx"), ("a program that is a folder", "taken.h")):
        status, said = attempt([mx.MXC, path], cwd=folder)
        same(tap, f"{label}: exit 3", status, 3)


def usage(tap, folder):
    write(folder, "affine.mx", AFFINE)
    for options in (["--emti=json"], ["--real=f16"], [], ["affine.mx", "other.mx"]):
        status, said = attempt([mx.MXC, *options, *(["affine.mx"] if options and options[0][0] == "-" else [])], cwd=folder)
        same(tap, f"mxc {' '.join(options)}: exit 2", status, 2)
    same(tap, "no file after a wrong command line", os.listdir(folder), ["affine.mx"])


CASES = (same_bytes, program_errors, file_errors, usage)
