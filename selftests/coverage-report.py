# SPDX-License-Identifier: GPL-2.0
"""What gcov counted, as text. coverage runs this inside the lane's root.

Reads gcov's JSON (gcov -j -t -b), one object a line, from stdin. Only the C files of the modules count: not the inline
functions of headers, which are in several objects, and not the tests. A line that is in several functions is run if one
of them ran it.
"""
import json
import re
import sys

OURS = re.compile(r"/src/((exporter|importer|heaps|fpga)/(?!.*tests/).*\.c)$")


class File:
    def __init__(self):
        self.lines = {}
        self.branches = {}
        self.idle = []

    def add(self, report):
        for line in report["lines"]:
            number = line["line_number"]
            self.lines[number] = self.lines.get(number, 0) + line["count"]
            for i, branch in enumerate(line["branches"]):
                key = (number, line.get("function_name"), i)
                self.branches[key] = self.branches.get(key, 0) + branch["count"]
        self.idle += [f["name"] for f in report["functions"] if not f["execution_count"]]


def share(counts):
    run = sum(1 for count in counts if count)
    return run, len(counts)


def percent(run, total):
    return 100 * run / total if total else 100.0


def read(stream):
    files = {}
    for line in stream:
        for report in json.loads(line)["files"]:
            ours = OURS.search(report["file"])
            if ours:
                files.setdefault(ours[1], File()).add(report)
    return files


def main():
    total_only = "--total" in sys.argv
    sums = [0, 0, 0, 0]
    for name, file in sorted(read(sys.stdin).items()):
        row = [*share(file.lines.values()), *share(file.branches.values())]
        sums = [a + b for a, b in zip(sums, row)]
        if total_only:
            continue
        print(f"{name:28} lines {percent(*row[:2]):5.1f} % of {row[1]:4}   "
              f"branches {percent(*row[2:]):5.1f} % of {row[3]:4}")
        if file.idle:
            print("    never called:", " ".join(sorted(file.idle)))
    if not sums[1]:
        sys.exit("no file of the modules was counted")
    print(f"coverage: {percent(*sums[:2]):.1f} % of {sums[1]} lines, "
          f"{percent(*sums[2:]):.1f} % of {sums[3]} branches")


main()
