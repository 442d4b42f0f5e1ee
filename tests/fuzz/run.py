#!/usr/bin/python3
"""The compiler under arbitrary bytes and failing allocations.

    run.py        replays corpus/ and a fixed set of mutations of it, and makes allocations fail
    MX_FUZZ_SECONDS=600 run.py
                  and lets libFuzzer look for more, so long, from corpus/ and MX_FUZZ_CORPUS (a folder, grows) on

An input that breaks the compiler is printed, and kept in the folder MX_FUZZ_FOUND if that is set."""
import glob
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import mx

MUTATIONS = 6000
CLEAN = ["-std=gnu11", "-O1", "-g", "-w", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
# The compiler needs little memory for what is tried here: more is a defect, and should not take the machine along.
LIMITS = dict(os.environ, ASAN_OPTIONS="hard_rss_limit_mb=1500:detect_leaks=1:allocator_may_return_null=1:malloc_context_size=12",
              UBSAN_OPTIONS="print_stacktrace=1")


def sources():
    gen = os.path.join(mx.ROOT, "gen")
    found = glob.glob(os.path.join(gen, "*.c")) + glob.glob(os.path.join(gen, "*", "*.c"))
    found.remove(os.path.join(gen, "main.c"))
    generated = [os.path.join(mx.BUILD, "grammar", name) for name in ("mx.tab.c", "mx.lex.c")]
    return sorted(found) + [os.path.join(mx.ROOT, "grammar", "ast.c")] + generated


def compile_objects(folder, compiler, flags, paths):
    """Object files, two compilations at a time."""
    include = ["-I", os.path.join(mx.ROOT, "grammar"), "-I", os.path.join(mx.BUILD, "grammar")]

    def one(path):
        name = os.path.relpath(path, mx.ROOT).replace(os.sep, "_").replace("..", "up")
        made = os.path.join(folder, name + ".o")
        mx.run([compiler, *CLEAN, *flags, *include, "-c", path, "-o", made])
        return made

    os.makedirs(folder, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, paths))


def link(compiler, flags, objects, program):
    mx.run([compiler, *flags, *objects, "-lm", "-o", program])
    return program


def show(path):
    """What broke the compiler, for the log, and for later."""
    if not os.path.exists(path):
        return "no input was kept"
    keep = os.environ.get("MX_FUZZ_FOUND")
    if keep:
        os.makedirs(keep, exist_ok=True)
        shutil.copy(path, os.path.join(keep, os.path.basename(path)))
    with open(path, "rb") as file:
        return f"the input: {file.read()!r}"


def check_replay(tap, folder, objects):
    own = compile_objects(folder, "gcc", ["-fsanitize=address,undefined"],
                          [os.path.join(HERE, "fuzz_compile.c"), os.path.join(HERE, "replay.c")])
    program = link("gcc", ["-fsanitize=address,undefined"], objects + own, os.path.join(folder, "replay"))
    corpus = sorted(glob.glob(os.path.join(HERE, "corpus", "*")))
    for mutations, name in ((0, f"the corpus, {len(corpus)} files"), (MUTATIONS, f"{MUTATIONS} mutations of it")):
        found = os.path.join(folder, f"found-{mutations}")
        done = subprocess.run([program, str(mutations), found, *corpus], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=LIMITS)
        if not tap.ok(done.returncode == 0, name, done.stdout.decode(errors="replace")[-3000:] + "\n" + show(found)):
            return


def check_allocations(tap, folder, objects):
    flags = ["-fsanitize=address,undefined", "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc"]
    own = compile_objects(folder, "gcc", flags[:1], [os.path.join(HERE, "alloc_failures.c")])
    program = link("gcc", flags, objects + own, os.path.join(folder, "alloc_failures"))
    done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=LIMITS)
    tap.ok(done.returncode == 0, "an allocation that fails is an error, wherever it is", done.stdout.decode(errors="replace")[-3000:])


def check_libfuzzer(tap, folder, seconds):
    flags = ["-fsanitize=fuzzer-no-link,address,undefined", "-DMX_ARENA_EACH"]
    try:
        objects = compile_objects(os.path.join(folder, "fuzzer"), "clang", flags, sources() + [os.path.join(HERE, "fuzz_compile.c")])
        program = link("clang", ["-fsanitize=fuzzer,address,undefined"], objects, os.path.join(folder, "fuzz"))
    except (mx.Failure, OSError):
        print("# no libFuzzer here")
        return
    work = os.environ.get("MX_FUZZ_CORPUS") or os.path.join(folder, "work")
    os.makedirs(work, exist_ok=True)
    found = os.path.join(folder, "found-fuzzer")
    done = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1500", "-max_len=1500",
                           f"-dict={os.path.join(HERE, 'tokens.dict')}", f"-exact_artifact_path={found}", work,
                           os.path.join(HERE, "corpus")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1"))
    tap.ok(done.returncode == 0, f"libFuzzer finds nothing in {seconds} s", done.stdout.decode(errors="replace")[-3000:] + "\n" + show(found))


def main():
    tap = mx.Tap()
    with mx.workspace() as folder:
        objects = compile_objects(folder, "gcc", ["-fsanitize=address,undefined", "-DMX_ARENA_EACH"], sources())
        check_replay(tap, folder, objects)
        check_allocations(tap, folder, objects)
        if os.environ.get("MX_FUZZ_SECONDS"):
            check_libfuzzer(tap, folder, int(os.environ["MX_FUZZ_SECONDS"]))
    tap.done()


main()
