#!/usr/bin/python3
"""Draws what gemm_bench wrote: GFLOP/s of every library over n for square products, a panel for each type and number of
threads.

plot.py BENCH.csv BENCH.png"""
import collections
import csv
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    print("no picture: matplotlib is missing (Debian: python3-matplotlib)")
    sys.exit(0)


def read(path):
    """{(threads, type): {library: [(n, GFLOP/s)]}} of square products without transposes."""
    panels = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path) as file:
        for row in csv.DictReader(file):
            if row["m"] == row["n"] == row["k"] and row["op"] == "NN":
                panels[int(row["threads"]), row["type"]][row["library"]].append((int(row["n"]), float(row["gflops_median"])))
    return panels


def draw(axes, title, libraries):
    for name, points in libraries.items():
        ours = name == "mxrt"
        axes.plot(*zip(*sorted(points)), label=name, linewidth=2.5 if ours else 1, color="black" if ours else None)
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.set_xlabel("n")
    axes.set_ylabel("GFLOP/s")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)


def main():
    panels = read(sys.argv[1])
    if not panels:
        sys.exit("no square products in " + sys.argv[1])
    columns = (len(panels) + 1) // 2
    figure, axes = plt.subplots(min(2, len(panels)), columns, figsize=(6 * columns, 8), squeeze=False)
    for axis, ((threads, real), libraries) in zip(axes.T.flat, sorted(panels.items())):
        draw(axis, f"n x n x n, {real}, {threads} thread{'s' * (threads > 1)}", libraries)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=120)
    print("wrote", sys.argv[2])


main()
