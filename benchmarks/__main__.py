"""Run the benchmarks named, or all of them, and print the machine first."""

import os
import platform
import sys

from benchmarks import api, load, output, source, steps

ALL = {"output": output.main, "steps": steps.main, "load": load.main, "api": api.main, "source": source.main}


def main(names: list[str]) -> None:
    system = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
    print(f"machine: {system}, Python {platform.python_version()}")
    for name in names or ALL:
        print()
        ALL[name]()


main(sys.argv[1:])
