"""Run the benchmarks named, or all of them, and print the machine first."""

import os
import platform
import sys

from benchmarks import adoption, api, load, output, shim, source, steps

ALL = {
    "output": output.main,
    "source": source.main,
    "steps": steps.main,
    "shim": shim.main,
    "load": load.main,
    "api": api.main,
    "adoption": adoption.main,
}


def main(names: list[str]) -> None:
    system = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
    print(f"machine: {system}, Python {platform.python_version()}")
    for name in names or ALL:
        print()
        ALL[name]()


main(sys.argv[1:])
