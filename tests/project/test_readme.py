import os
import re
from pathlib import Path

import pytest
import typer

import circuitstore
from api.settings import Settings, misspelt
from queries.catalogue import catalogue
from store.settings import StoreSettings
from tests.project.readme import README, ROOT, Step, difference, render, run, steps
from tests.project.repository import tracked

TEXT = README.read_text()
DOCUMENTS = [name for name in tracked() if name.endswith(".md")]


def code(name: str) -> str:
    """All that stands in a document as code: fenced, indented, or between backticks."""
    text = (ROOT / name).read_text()
    fenced = re.findall(r"^```\w*.*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"^    .+$", rest, re.MULTILINE), *re.findall(r"`([^`\n]+)`", rest)])


def test_every_command_in_the_readme_prints_what_is_shown(tmp_path: Path) -> None:
    shown = steps(TEXT)
    outputs = run([step.command for step in shown], f"ladybug:{tmp_path}/store.lbug")
    for step, output in zip(shown, outputs, strict=True):
        found = difference(step.output, output)
        assert found is None, f"$ {step.command}: {found}\n(python -m tests.project.readme writes it anew)"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_target_and_command_that_a_document_names_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|\s)make ([a-z0-9]+)", code(name))) <= targets
    program = typer.main.get_command(circuitstore.app)
    assert isinstance(program, typer.core.TyperGroup)
    assert set(re.findall(r"\bcircuitstore ([a-z]+)", code(name))) <= set(program.commands)
    asked = set(re.findall(r"\bcircuitstore query ([a-z_]+)", code(name)))
    assert asked <= {query.name for query in catalogue()}


def test_every_setting_that_the_code_reads_is_in_the_readme() -> None:
    sources = [ROOT / name for name in tracked() if name.endswith((".py", ".yml", "run", "Makefile"))]
    read = {word for path in sources for word in re.findall(r"\bCIRCUITSTORE_[A-Z0-9_]+\b", path.read_text())}
    fields = {f"CIRCUITSTORE_{name.upper()}" for model in (Settings, StoreSettings) for name in model.model_fields}
    documented = set(re.findall(r"`(CIRCUITSTORE_[A-Z0-9_]+)`", TEXT))
    assert documented == fields | read
    assert list(misspelt(documented)) == []


def test_commands_run_in_one_shell_and_a_failing_one_is_named(tmp_path: Path) -> None:
    assert list(run(["NAME=circuit", "echo $NAME", "echo lost >&2"], "ladybug:x")) == ["", "circuit", ""]
    assert list(run(["echo $CIRCUITSTORE_STORE"], "ladybug:x")) == ["ladybug:x"]
    with pytest.raises(RuntimeError, match=r"\$ false\nended with exit code 1"):
        list(run(["true", "false"], "ladybug:x"))
    assert os.environ["CIRCUITSTORE_STORE"] != "ladybug:x"


def test_output_is_written_back_where_it_was_read() -> None:
    text = "a\n```console lines=2\n$ one\nold\n$ two\n```\nb\n```sh\n$ three\n```\n"
    assert steps(text) == [Step("one", "old", 2), Step("two", "", 2)]
    text += "```python\nprint(5)\n```\n\n```text\nold\n```\n"
    assert steps(text)[2:] == [Step("python - <<'END'\nprint(5)\nEND", "old")]
    assert list(run([steps(text)[2].command], "ladybug:x")) == ["5"]
    written = render(text, ["1", "1\n2\n3", "5"])
    shown = "a\n```console lines=2\n$ one\n1\n$ two\n1\n2\n…\n```\nb\n```sh\n$ three\n```\n"
    assert written == f"{shown}```python\nprint(5)\n```\n\n```text\n5\n```\n"
    assert render(written, ["1", "1\n2\n3", "5"]) == written


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ("took 4.1 s, 2.3 GiB", "took 12 s, 900 MiB"),
        ("task:smollm2:1a2b3c4d  0.981", "task:smollm2:ffff0000   0.99"),
        ("│ 1.00 │\n├──────┤", "│ 1.002 │\n├───────┤"),
        ("first\n…", "first\nand\nmore"),
        ("first\n…\nlast", "first\nand\nlast"),
    ],
)
def test_times_hashes_and_last_digits_may_differ(shown: str, got: str) -> None:
    assert difference(shown, got) is None


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ("0.9", "0.7"),
        ("feature 13:1363", "feature 13:2260"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a", "b"),
        ("…\nz", "a\nb"),
    ],
)
def test_other_differences_are_told(shown: str, got: str) -> None:
    assert difference(shown, got) is not None
