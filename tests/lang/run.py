#!/usr/bin/python3
"""Runs the tests of this folder: each file NAME.test is one test, and one line of TAP.

    $ mxc --emit=ast t.mx          one or more commands, run by sh in an empty folder
    ~~~ file t.mx                  a file that they find there; 'stdin' is what the last command reads
    A = B @ C
    ~~~ stdout                     what they must print, and the status of the last one
    ~~~ stderr
    ~~~ status 0
    ~~~ files                      the files that must be there afterwards and were not before
    ~~~ made t.d                   what one of them must hold

After the name of a file, 'crlf' ends its lines so, 'unended' takes the last newline away, and 'python' says that the
text is an expression whose value is the file. An expectation that is left out is "nothing", and status 0.

    run.py [--mxc PATH] [NAME ...]                 runs the tests named (patterns such as 'ast-*' too), or all
    run.py [--mxc PATH] --golden NAME ...          writes what was printed into the tests named
"""
import argparse
import difflib
import fnmatch
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXPECTED = ("stdout", "stderr", "status", "files", "made")


def read_test(path):
    """The comments, the commands, and the sections as [heading, text]."""
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = file.read().splitlines(keepends=True)
    commands, sections, comments = [], [], []
    for line in lines:
        if line.startswith("~~~ "):
            sections.append([line[4:].strip(), ""])
        elif sections:
            sections[-1][1] += line
        elif line.startswith("$ "):
            commands.append(line[2:].rstrip("\n"))
        else:
            comments.append(line)
    return comments, commands, sections


def file_bytes(text, flags):
    if "python" in flags:
        value = eval(text.strip(), {})  # the test's own text
        return value if isinstance(value, bytes) else value.encode()
    if "unended" in flags:
        text = text[:-1]
    if "crlf" in flags:
        text = text.replace("\n", "\r\n")
    return text.encode()


def all_files(folder):
    found = []
    for where, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(where, name), folder) for name in names]
    return sorted(found)


def place_files(folder, sections):
    stdin = b""
    for heading, text in sections:
        words = heading.split()
        if words[0] == "stdin":
            stdin = file_bytes(text, words[1:])
        elif words[0] == "file":
            path = os.path.join(folder, words[1])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(file_bytes(text, words[2:]))
    return stdin


def run_commands(folder, commands, stdin, mxc):
    environment = {"PATH": os.path.dirname(mxc) + ":/usr/bin:/bin", "LC_ALL": "C", "HOME": folder}
    out, err, status = b"", b"", 0
    for i, command in enumerate(commands):
        given = stdin if i + 1 == len(commands) else b""
        # timeout ends what the shell started, too, and gives status 124
        done = subprocess.run(["timeout", "120", "sh", "-c", command], cwd=folder, input=given, capture_output=True,
                              env=environment)
        out, err, status = out + done.stdout, err + done.stderr, done.returncode
    return out, err, status


def run_test(path, mxc):
    """What the test gives, as sections in their order."""
    _, commands, sections = read_test(path)
    with tempfile.TemporaryDirectory() as folder:
        stdin = place_files(folder, sections)
        before = all_files(folder)
        # A sanitizer's shadow memory does not fit under a limit of address space: such a test takes the plain build.
        limited = any("ulimit -v" in command for command in commands)
        out, err, status = run_commands(folder, commands, stdin, os.path.join(ROOT, "build/mxc") if limited else mxc)
        new = [name for name in all_files(folder) if name not in before]
        given = [["stdout", out.decode(errors="replace")], ["stderr", err.decode(errors="replace")],
                 ["status " + str(status), ""], ["files", "".join(name + "\n" for name in new)]]
        for heading, _ in sections:
            if heading.startswith("made "):
                place = os.path.join(folder, heading[5:])
                text = open(place, encoding="utf-8").read() if os.path.exists(place) else "(not made)\n"
                given.append([heading, text])
    return [[heading, text] for heading, text in given if text or heading.startswith("status")]


def expectations(sections):
    kept = [[heading, text] for heading, text in sections if heading.split()[0] in EXPECTED]
    if not any(heading.startswith("status") for heading, _ in kept):
        kept.append(["status 0", ""])
    order = {name: i for i, name in enumerate(EXPECTED)}
    return sorted(([h, t] for h, t in kept if t or h.startswith("status")), key=lambda s: order[s[0].split()[0]])


def spell(sections):
    """A text that lacks its last newline is shown with a mark, here and in the tests."""
    return "".join("~~~ " + h + "\n" + t + ("" if not t or t.endswith("\n") else "\\\n") for h, t in sections)


def rewrite(path, given):
    comments, commands, sections = read_test(path)
    inputs = [section for section in sections if section[0].split()[0] not in EXPECTED]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("".join(comments) + "".join("$ " + command + "\n" for command in commands))
        file.write("".join("~~~ " + h + "\n" + t for h, t in inputs) + spell(given))


def report(number, name, wanted, given):
    good = wanted == given
    print("ok" if good else "not ok", number, "-", name)
    if not good:
        for line in difflib.unified_diff(wanted.splitlines(), given.splitlines(), "expected", "given", lineterm=""):
            print("# " + line)
    sys.stdout.flush()
    return good


def uncovered_codes(paths):
    """The codes of diag.def that no test's expected output shows."""
    with open(os.path.join(ROOT, "gen/base/diag.def"), encoding="utf-8") as file:
        codes = re.findall(r"^DIAG\((\w+),", file.read(), re.M)
    shown = "".join(spell(expectations(read_test(path)[2])) for path in paths)
    return [code for code in codes if "[" + code + "]" not in shown and '"' + code + '"' not in shown]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mxc", default=os.environ.get("MXC", os.path.join(ROOT, "build/mxc")))
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.golden and not options.names:
        parser.error("--golden rewrites the tests that are named; '*' names all")
    every = sorted(os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".test"))
    wanted_names = options.names or ["*"]
    paths = [p for p in every if any(fnmatch.fnmatch(os.path.basename(p)[:-5], n) for n in wanted_names)]
    failed = 0
    for number, path in enumerate(paths, 1):
        given = run_test(path, os.path.abspath(options.mxc))
        if options.golden:
            rewrite(path, given)
        wanted = spell(expectations(read_test(path)[2]))
        failed += not report(number, "lang/" + os.path.basename(path)[:-5], wanted, spell(given))
    count = len(paths)
    if not options.names:
        count += 1
        missing = uncovered_codes(every)
        failed += not report(count, "lang/every code has a test", "", "".join(code + "\n" for code in missing))
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
