#!/usr/bin/python3
"""Generated code as its callers meet it: the contract of abi.md, case by case.

  run.py [GROUP…]     contract, elements, epilogues, memory, compilers, names, command, scale, indices, factors, consumers, stats, tensors; without arguments all
"""
import sys
import time

from common import mx
import command
import compilers
import consumers
import contract
import elements
import epilogues
import factors
import indices
import memory
import names
import scale
import stats
import tensors

GROUPS = {"contract": contract, "elements": elements, "epilogues": epilogues, "memory": memory, "compilers": compilers, "names": names, "command": command,
          "scale": scale, "indices": indices, "factors": factors, "consumers": consumers, "stats": stats,
          "tensors": tensors}


def main():
    tap = mx.Tap()
    for name in sys.argv[1:] or GROUPS:
        for case in GROUPS[name].CASES:
            begin = time.monotonic()
            try:
                with mx.workspace() as folder:
                    case(tap, folder)
            except Exception as error:
                tap.ok(False, f"{name}: {case.__name__}: runs", f"{type(error).__name__}: {error}")
            print(f"# {name}: {case.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    tap.done()


main()
