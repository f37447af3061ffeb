# SPDX-License-Identifier: GPL-2.0
"""Makes small mutations of lines of C that tests have run. sample runs this inside a lane's root.

Usage: mutate.py SEED COUNT TREE OUT [PREFIX...]

Reads what gcov counted from stdin: "SET<tab>JSON", one object a line, where SET names the tests that ran it. Takes lines of
the C files below TREE in a random order that SEED decides, COUNT at most, and writes up to TRIES mutations of line N to
OUT/N.1.patch, OUT/N.2.patch and so on. Files whose path does not begin with a PREFIX are left out.
"""
import difflib
import json
import os
import random
import re
import sys

OURS = re.compile(r"^((exporter|importer|heaps|fpga)/(?!.*tests/).*|(lib|tools|gst-plugin)/[^/]*)\.c$")
TRIES = 4

# What nobody can see a change of: messages, tracing, assertions, hints to the processor and the scheduler.
UNSEEN = re.compile(r"(pr_\w+|(dev|netdev)_(dbg|info|notice|warn|err|vdbg)\w*|GST_(CAT_)?(TRACE|LOG|DEBUG|INFO|WARNING|"
                    r"ERROR|MEMDUMP)\w*|trace_\w+|lockdep_\w+|might_\w+|WARN\w*|BUILD_BUG\w*|static_assert|g_assert\w*|"
                    r"kmemleak_\w+|cond_resched|cpu_relax|madvise|prefetchw?|MODULE_\w+|EXPORT_\w+)\b")
# A change of byte order in place, on a machine that has that order.
SAME_ORDER = re.compile(r"(\S+) = (le\d\dtoh|htole\d\d|le\d\d_to_cpu|cpu_to_le\d\d)\((?P<same>\S+)\);")
HEAD = re.compile(r"(if|for|while|switch|\w*for_each\w*)$")
KEYWORD = re.compile(r"(if|for|while|do|switch|else|case|default)\b|\w*for_each\w*\s*\(")
DECLARATION = re.compile(r"(const|static|struct|enum|union|unsigned|signed|volatile|g_autofree|g_autoptr)\b(?!\s*\))|"
                         r"(?!return\b|goto\b)\w+(\s+|\s*\*+\s*)\w+\s*(=|;|,|\[)")
LOCKS = {
    "mutex_lock": "mutex_unlock", "spin_lock": "spin_unlock", "spin_lock_irq": "spin_unlock_irq",
    "spin_lock_bh": "spin_unlock_bh", "spin_lock_irqsave": "spin_unlock_irqrestore", "down_read": "up_read",
    "down_write": "up_write", "rcu_read_lock": "rcu_read_unlock", "g_mutex_lock": "g_mutex_unlock",
    "GST_OBJECT_LOCK": "GST_OBJECT_UNLOCK",
}
LOCK = re.compile(r"\s*(" + "|".join(LOCKS) + r")\s*\(([^;]*)\);$")
ERRNO = re.compile(r"(?<=-)E[A-Z][A-Z0-9]+\b|(?<=[=!]= )E[A-Z][A-Z0-9]+\b|(?<=\()E[A-Z][A-Z0-9]+(?=\))")
OTHERS = ("EINVAL", "EIO", "EBUSY", "ENOMEM", "EAGAIN", "EINTR")
NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|0|[1-9]\d*)(?=[uUlL]*\b)(?!\.)")
COMPARE = re.compile(r" (<=?|>=?) ")
COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
LOGIC = re.compile(r"(&&|\|\|)")


def blank(text):
    """The code alone: comments, strings and directives of the preprocessor become blanks, of the same length."""
    pattern = (r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|'
               r'^[ \t]*#(?:\\\n|[^\n])*')
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S | re.M)


class Source:
    """A file, and what can be changed in a line of it. A change is a list of (start, end, replacement)."""

    def __init__(self, text):
        self.text = text
        self.code = blank(text)
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]
        self.bodies = [m.span() for m in re.finditer(r"^\{.*?^\}", self.code, re.S | re.M)]

    def line(self, number):
        start = self.starts[number - 1]
        return start, self.text.index("\n", start)

    def body(self, position):
        for start, end in self.bodies:
            # The function's own braces are no statements.
            if start + 1 < position < end - 1:
                return start, end
        return None

    def closing(self, start):
        """The end of what begins with the bracket at @start."""
        depth = 0
        for i in range(start, len(self.code)):
            depth += self.code[i] in "([{"
            depth -= self.code[i] in ")]}"
            if not depth:
                return i
        return len(self.code) - 1

    def begins_statement(self, start):
        before = self.code[:start].rstrip()
        if before.endswith(")"):
            depth = 0
            for i in range(len(before) - 1, -1, -1):
                depth += before[i] == ")"
                depth -= before[i] == "("
                if not depth:
                    return HEAD.search(before[:i].rstrip()) is not None
        last = before.rsplit("\n", 1)[-1].strip()
        return before[-1:] in (";", "{", "}") or re.search(r"\b(else|do)$", before) or \
            re.match(r"(case\b.*|default\s*|\w+):$", last)

    def statement(self, number):
        """The simple statement that begins in the line, as (start, end), or None."""
        start, end = self.line(number)
        start += len(self.code[start:end]) - len(self.code[start:end].lstrip())
        if start >= end or KEYWORD.match(self.code, start) or self.code[start] in "{}" or not self.begins_statement(start):
            return None
        i = start
        while self.code[i] != ";":
            if self.code[i] == "{" and self.code[start:i].rstrip()[-1:] not in ("=", ")"):
                return None
            if self.code[i] == "}":
                return None
            i = self.closing(i) + 1 if self.code[i] in "([{" else i + 1
        return start, i + 1

    def deletions(self, number, _rng):
        span = self.statement(number)
        if not span or DECLARATION.match(self.code, span[0]) or LOCK.match(self.code, span[0], span[1]):
            return []
        if re.match(r"[\w\s]*\(?\w*\)?;$", self.code[span[0]:span[1]]) and self.code.startswith("(void)", span[0]):
            return []
        return [[(*span, "(void)0;")]]

    def negations(self, number, _rng):
        start, end = self.line(number)
        found = []
        for m in re.finditer(r"\b(if|while) ?\(", self.code[start:end]):
            opening = start + m.end() - 1
            closing = self.closing(opening)
            found.append([(opening, opening + 1, "(!("), (closing, closing + 1, "))")])
        return found

    def replaced(self, number, pattern, replace):
        start, end = self.line(number)
        changes = []
        for m in pattern.finditer(self.code, start, end):
            new = replace(m)
            if new is not None:
                changes.append([(m.start(1) if pattern.groups else m.start(), m.end(1) if pattern.groups else m.end(), new)])
        return changes

    def bounds(self, number, _rng):
        start, end = self.line(number)
        declares = DECLARATION.match(self.code[start:end].strip())

        def next_number(m):
            # More room than is needed changes nothing.
            if declares and self.code[m.start() - 1] == "[":
                return None
            return str(int(m[1], 0) + 1)
        return self.replaced(number, COMPARE, lambda m: COMPARED[m[1]]) + self.replaced(number, NUMBER, next_number)

    def logic(self, number, _rng):
        return self.replaced(number, LOGIC, lambda m: "||" if m[1] == "&&" else "&&")

    def errnos(self, number, rng):
        return self.replaced(number, ERRNO, lambda m: rng.choice([e for e in OTHERS if e != m[0]]))

    def locks(self, number, _rng):
        start, end = self.line(number)
        lock = LOCK.match(self.code[start:end])
        if not lock:
            return []
        changes = [self.without_lock(start, end, lock)]
        next_start, next_end = self.line(number + 1)
        if LOCK.match(self.code[next_start:next_end]):
            changes.append([(start, end, self.text[next_start:next_end]), (next_start, next_end, self.text[start:end])])
        return changes

    def without_lock(self, start, end, lock):
        """To the end of the function, no matter by which way it is left."""
        what = re.escape(lock[2].split(",")[0])
        unlock = re.compile(r"\b" + LOCKS[lock[1]] + r"\s*\(" + what + r"[^;]*\);")
        _, last = self.body(start)
        change = [(start + len(lock[0]) - len(lock[0].lstrip()), end, "(void)0;")]
        return change + [(*m.span(), "(void)0;") for m in unlock.finditer(self.code, end, last)]

    def mutations(self, number, rng):
        """In a random order, each kind first once."""
        start, end = self.line(number)
        order = SAME_ORDER.search(self.code, start, end)
        if not self.body(start) or UNSEEN.search(self.code, start, end) or order and order[1] == order["same"]:
            return []
        kinds = [kind(number, rng) for kind in
                 (self.deletions, self.negations, self.bounds, self.logic, self.errnos, self.locks)]
        kinds = [kind for kind in kinds if kind]
        rng.shuffle(kinds)
        for kind in kinds:
            rng.shuffle(kind)
        return [kind[i] for i in range(TRIES) for kind in kinds if i < len(kind)][:TRIES]

    def apply(self, change):
        text = self.text
        for start, end, new in sorted(change, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def squeeze(lines):
    return " ".join(" ".join(lines).split())


def one_line(diff):
    """A unified diff in one line: what was there, what is there now."""
    old = squeeze(line[1:] for line in diff if line[0] == "-" and not line.startswith("---"))
    new = squeeze(line[1:] for line in diff if line[0] == "+" and not line.startswith("+++"))
    return f"- {old}  + {new}"


def read(stream, tree, prefixes):
    """The sets of tests that ran each line of the files that are there."""
    lines = {}
    for row in stream:
        name, _, text = row.partition("\t")
        report = json.loads(text)
        for file in report["files"]:
            path = os.path.normpath(os.path.join(report["current_working_directory"], file["file"]))
            path = re.sub(r"^/src/", "", path)
            if not OURS.match(path) or not path.startswith(prefixes) or not os.path.exists(os.path.join(tree, path)):
                continue
            for line in file["lines"]:
                if line["count"]:
                    lines.setdefault((path, line["line_number"]), set()).add(name)
    return lines


def write(out, number, path, line, sets, source, changes):
    for i, change in enumerate(changes, 1):
        diff = list(difflib.unified_diff(source.text.splitlines(True), source.apply(change).splitlines(True),
                                         "a/" + path, "b/" + path))
        with open(f"{out}/{number}.{i}.patch", "w", encoding="utf-8") as file:
            file.write(f"SPDX-License-Identifier: GPL-2.0\n\nLine:\t{path}:{line}\nChange:\t{one_line(diff)}\n"
                       f"Ran:\t{' '.join(sorted(sets))}\n\n")
            file.writelines(diff)


def main():
    seed, count, tree, out, *prefixes = sys.argv[1:]
    lines = read(sys.stdin, tree, tuple(prefixes) or ("",))
    order = sorted(lines)
    rng = random.Random(seed)
    rng.shuffle(order)
    sources = {}
    number = 0
    for path, line in order:
        if number == int(count):
            break
        if path not in sources:
            with open(os.path.join(tree, path), encoding="utf-8") as file:
                sources[path] = Source(file.read())
        # A line's mutations do not depend on which lines came before it.
        changes = sources[path].mutations(line, random.Random(f"{seed} {path} {line}"))
        if changes:
            number += 1
            write(out, number, path, line, lines[path, line], sources[path], changes)
    print(number, len(order))


main()
