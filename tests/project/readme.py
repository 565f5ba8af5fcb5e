"""Keeps README.md true: runs its commands, compares what they print, and writes it anew.

    python -m tests.project.readme           # write the output of every command into README.md
    python -m tests.project.readme --check   # only say where it differs

A fenced block that is marked `console` holds commands, each after `$ `, and what they print on stdout. All of them run
in one shell, in order, from the repository's root. `console lines=12` shows the first 12 lines of each output and then
`…`; in a comparison, a line `…` stands for any lines. A block that is marked `python` is run there, too, as a script,
and the block `text` right behind it is what it prints. Other blocks (`sh`) are not run.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ELLIPSIS = "…"

_BLOCK = re.compile(
    r"^```console(?: lines=(?P<lines>\d+))?\n(?P<body>.*?)^```$"
    r"|^```python\n(?P<script>.*?)^```$\n\n^```text\n(?P<printed>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_END = "\x1e"
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_VARIES = re.compile(r"\b[0-9a-f]{8,64}\b|\b\d+(?:\.\d+)?\s?(?:ms|s|min|[KMG]i?B)\b")
"""Hashes of computed numbers, times, and amounts of memory."""


@dataclass(frozen=True)
class Step:
    command: str
    output: str
    lines: int | None = None


def steps(text: str) -> list[Step]:
    """The commands of all console blocks, in order, with the output that is shown."""
    return [step for block in _BLOCK.finditer(text) for step in _steps(block)]


def run(commands: list[str], store: str) -> Iterator[str]:
    """What each command prints on stdout, in one shell. Raises RuntimeError at the first that fails."""
    told = f"printf '{_END}%d{_END}' $?"
    script = "\n".join(["trap 'kill $(jobs -p) 2>/dev/null' EXIT", *(f"{command}\n{told}" for command in commands)])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CIRCUITSTORE_STORE": store, "COLUMNS": "120", "NO_COLOR": "1"}
    for name in ("MAKEFLAGS", "MAKELEVEL"):  # which would have an inner make tell where it works
        environment.pop(name, None)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    parts = done.stdout.split(_END)
    for command, output, status in zip(commands, parts[0::2], parts[1::2], strict=False):
        if status != "0":
            raise RuntimeError(f"$ {command}\nended with exit code {status}:\n{output}{done.stderr}")
        yield output.strip("\n")


def render(text: str, outputs: list[str]) -> str:
    """The text with those outputs in the place of the shown ones."""
    remaining = iter(outputs)

    def block(match: re.Match[str]) -> str:
        if match["script"]:
            return f"```python\n{match['script']}```\n\n```text\n{_clipped(next(remaining), None)}```"
        shown = [f"$ {step.command}\n{_clipped(next(remaining), step.lines)}" for step in _steps(match)]
        head = match[0].split("\n", 1)[0]
        return "\n".join([head, "".join(shown) + "```"])

    return _BLOCK.sub(block, text)


def difference(shown: str, got: str) -> str | None:
    """The first line that differs in more than times, hashes and the last digits of numbers; None if there is none."""
    wanted, lines = shown.splitlines(), got.splitlines()
    while wanted:
        if wanted[0].strip() == ELLIPSIS:
            rest = wanted[1:]
            return None if not rest else difference("\n".join(rest), "\n".join(lines[-len(rest) :]))
        if not lines or not _alike(wanted[0], lines[0]):
            return f"README.md shows\n  {wanted[0]}\nand it printed\n  {lines[0] if lines else '(nothing more)'}"
        wanted, lines = wanted[1:], lines[1:]
    return f"README.md does not show\n  {lines[0]}" if lines else None


def _steps(block: re.Match[str]) -> list[Step]:
    if block["script"]:
        return [Step(f"python - <<'END'\n{block['script']}END", block["printed"].strip("\n"))]
    shown = re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]
    clip = int(block["lines"]) if block["lines"] else None
    return [Step(command, output.strip("\n"), clip) for command, _, output in (one.partition("\n") for one in shown)]


def _clipped(output: str, lines: int | None) -> str:
    every = [line.rstrip() for line in output.splitlines()]
    kept = every if lines is None or len(every) <= lines else [*every[:lines], ELLIPSIS]
    return "".join(f"{line}\n" for line in kept)


def _alike(shown: str, got: str) -> bool:
    return all(_same(a, b) for a, b in zip_longest(_words(shown), _words(got)))


def _words(line: str) -> list[str]:
    """Words and numbers; drawn lines are as long as the numbers below them are wide, so their length says nothing."""
    line = _VARIES.sub("#", re.sub(r"[-─━═]{3,}", "—", line))
    return re.findall(rf"{_NUMBER.pattern}|[^\s\d]+|\d+", line)


def _same(a: str | None, b: str | None) -> bool:
    if a is None or b is None:
        return False
    if _NUMBER.fullmatch(a) and _NUMBER.fullmatch(b):
        x, y = (float(one.replace(",", "").replace("−", "-")) for one in (a, b))
        return abs(x - y) <= max(0.02, 0.05 * abs(x))
    return a == b


def main(arguments: list[str]) -> int:
    text = README.read_text()
    shown = steps(text)
    with tempfile.TemporaryDirectory() as folder:
        got = list(run([step.command for step in shown], f"ladybug:{folder}/store.lbug"))
    if "--check" not in arguments:
        README.write_text(render(text, got))
        return 0
    found = [difference(step.output, output) for step, output in zip(shown, got, strict=True)]
    print(*(one for one in found if one), sep="\n", file=sys.stderr)
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
