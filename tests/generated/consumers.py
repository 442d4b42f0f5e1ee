"""Projects that use the output: make's dependencies, a Makefile that generates at build time."""
import os
import shutil
import time

from common import AFFINE, QUIET, RUNTIME, attempt, mx, read, same, works, write

REBUILD = """
all: {c}
{c}:
\t{mxc} {quiet} -MD -MF deps.d {options} -o {quoted} {input}
\techo built >> log
-include deps.d
"""


def make(folder, *targets):
    return attempt(["make", "--no-print-directory", "-f", "Makefile", *targets], cwd=folder)


def dependencies(tap, folder):
    """The rule for the output names no source: only the dependency file can know that it changed."""
    for label, source, options in (("a plain name", "affine.mx", ""), ("a name with a space", "an affine.mx", ""),
                                   ("a name with $ and #", "a$b#c.mx", ""), ("-MT", "affine.mx", "-MT out.c")):
        place = os.path.join(folder, label)
        os.mkdir(place)
        path = write(place, source, AFFINE)
        quoted = "'" + source.replace("$", "$$") + "'"
        write(place, "Makefile", REBUILD.format(c="out.c", mxc=mx.MXC, quiet=QUIET, options=options, quoted="out.c", input=quoted))
        status, said = make(place)
        tap.ok(status == 0, f"{label}: make builds it", said)
        status, said = make(place)
        tap.ok(status == 0 and read(place, "log").count("built") == 1, f"{label}: and has nothing to do then",
               said + read(place, "deps.d"))
        later = time.time() + 10
        write(place, source, AFFINE.replace("+ b", "+ 2 * b"))
        os.utime(path, (later, later))
        status, said = make(place)
        tap.ok(status == 0 and read(place, "log").count("built") == 2, f"{label}: a changed program is built again",
               said + read(place, "deps.d"))
        tap.ok("2.0" in read(place, "out.c"), f"{label}: from its new text")
    place = os.path.join(folder, "default")
    os.mkdir(place)
    write(place, "affine.mx", AFFINE)
    mx.run([mx.MXC, QUIET, "-MD", "affine.mx"], cwd=place)
    same(tap, "-MD: the file beside the .c file", sorted(os.listdir(place)), ["affine.c", "affine.d", "affine.h", "affine.mx"])
    same(tap, "-MD: names both outputs and the source", read(place, "affine.d"), "affine.c affine.h: affine.mx\n")


MAIN = r"""
#include "affine.h"
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    const double Z[] = {1, 2, 3, 4}, W[] = {5, 6, 7, 8}, b[] = {9, 10}, dL_dA[] = {1, 2, 3, 4};
    double A[4], dL_dW[4], dL_dZ[4], dL_db[2];
    size_t bytes = affine_forward_worksize(2, 2, 2), more = affine_backward_worksize(2, 2, 2);
    void *work = malloc((bytes > more ? bytes : more) + 1), *saved = malloc(affine_forward_savedsize(2, 2, 2) + 1);
    int status = affine_forward(2, 2, 2, Z, W, b, A, saved, work);
    if (status == MX_OK)
        status = affine_backward(2, 2, 2, Z, W, dL_dA, dL_dW, dL_dZ, dL_db, saved, work);
    printf("%s\n", mx_status_string(status));
    for (int i = 0; i < 4; i++)
        printf("%g %g %g\n", A[i], dL_dW[i], dL_dZ[i]);
    printf("%g %g\n", dL_db[0], dL_db[1]);
    free(work);
    free(saved);
    return status;
}
"""
PRINTED = "28 10 17\n32 14 23\n52 14 39\n60 20 53\n4 6\n"

PROJECT = """
CC = {cc}
CFLAGS = -std=c99 -Wall -Wextra -Werror -O2 -I{prefix}/include
MXC = {mxc}

all: static shared
affine.c affine.h &: affine.mx
\t$(MXC) {quiet} -MD -MF affine.d -o affine.c $<
main.o: affine.h
%.o: %.c
\t$(CC) $(CFLAGS) -c -o $@ $<
static: main.o affine.o
\t$(CC) -o $@ $^ {prefix}/lib/libmxrt.a -lm
shared: main.o affine.o
\t$(CC) -o $@ $^ -L{prefix}/lib -Wl,-rpath,{prefix}/lib -lmxrt -lm
-include affine.d
"""


def project(tap, folder):
    """Against a tree such as an installation makes."""
    prefix = os.path.join(folder, "prefix")
    os.makedirs(os.path.join(prefix, "lib"))
    os.makedirs(os.path.join(prefix, "include"))
    for name in ("mxrt.h", "mxwork.h", "mxmath.h", "mxfixed.h", "mxstrip.h"):
        shutil.copy(os.path.join(RUNTIME, name), os.path.join(prefix, "include"))
    shutil.copy(os.path.join(mx.BUILD, "libmxrt.a"), os.path.join(prefix, "lib"))
    shutil.copy(os.path.join(mx.BUILD, "libmxrt.so"), os.path.join(prefix, "lib", "libmxrt.so.1"))
    os.symlink("libmxrt.so.1", os.path.join(prefix, "lib", "libmxrt.so"))
    for cc in ("gcc", "clang"):
        place = os.path.join(folder, cc)
        os.mkdir(place)
        write(place, "affine.mx", AFFINE)
        write(place, "main.c", MAIN)
        write(place, "Makefile", PROJECT.format(cc=cc, prefix=prefix, mxc=mx.MXC, quiet=QUIET))
        if not works(tap, f"{cc}: the project builds from nothing", ["make", "-j2"], cwd=place):
            continue
        for kind in ("static", "shared"):
            status, said = attempt([os.path.join(place, kind)], env={})
            tap.ok(status == 0 and said.split("\n", 1)[1] == PRINTED, f"{cc}: the {kind} program runs", said)
        linked = mx.run(["readelf", "-d", os.path.join(place, "shared")]).decode()
        tap.ok("libmxrt.so.1" in linked, f"{cc}: the shared program does use the shared library", linked)
        linked = mx.run(["readelf", "-d", os.path.join(place, "static")]).decode()
        tap.ok("libmxrt" not in linked, f"{cc}: the static program does not", linked)
        same(tap, f"{cc}: make has nothing more to do", attempt(["make", "-q"], cwd=place)[0], 0)
        later = time.time() + 10
        os.utime(os.path.join(place, "affine.mx"), (later, later))
        same(tap, f"{cc}: until the program changes", attempt(["make", "-q"], cwd=place)[0], 1)


def installation(tap, folder):
    """What make install puts where."""
    place = os.path.join(folder, "stage")
    command = ["make", "--no-print-directory", "-C", mx.ROOT, f"B={mx.BUILD}", "install", f"DESTDIR={place}", "PREFIX=/usr"]
    if not works(tap, "make install", command):
        return
    found = {os.path.relpath(os.path.join(where, name), place) for where, _, names in os.walk(place) for name in names}
    wanted = {"bin/mxc", "include/mxrt.h", "include/mxmath.h", "include/mxwork.h", "include/mxfixed.h", "include/mxstrip.h", "lib/libmxrt.a", "lib/libmxrt.so",
              "lib/libmxrt.so.1", "lib/pkgconfig/mxrt.pc", "share/man/man1/mxc.1", "share/man/man7/mxc-language.7"}
    same(tap, "what is installed", sorted(found), sorted("usr/" + name for name in wanted))
    for name, option in (("man1/mxc.1", "--help=man"), ("man7/mxc-language.7", "--help-language=man")):
        said = mx.run([os.path.join(place, "usr", "bin", "mxc"), option]).decode()
        same(tap, f"{name} is what mxc {option} says", read(place, "usr/share/man/" + name), said)


CASES = (dependencies, project, installation)
