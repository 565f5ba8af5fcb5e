"""The statements of `tests/hostile`: one after another in text files, with blank lines between."""

import re
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "hostile"


def statements(name: str, places: Mapping[str, str] | None = None) -> list[str]:
    """places: what stands for @CANARY@, @URL@ and so on."""
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    for place, value in (places or {}).items():
        text = text.replace(f"@{place}@", value)
    return re.split(r"\n\n", text.rstrip("\n"))


def nested() -> list[str]:
    """What ends a parser that recurses, or keeps a planner busy."""
    deep = [f"RETURN {left * n}1{right * n}" for left, right in ("()", "[]", ("abs(", ")")) for n in (100, 2000)]
    deep += [f"RETURN {'{a: ' * n}1{'}' * n} AS x" for n in (100, 2000)]
    deep += [f"RETURN {'NOT ' * n}true" for n in (100, 4000)]
    deep += [f"RETURN {'-' * n}1" for n in (100, 9000)]
    deep += [f"{'CALL { ' * n}RETURN 1 AS x{' } RETURN x' * n}" for n in (30, 900)]
    deep += ["RETURN " + sign.join(["1"] * n) for sign in "+*^" for n in (500, 9000)]
    deep += ["RETURN " + word.join(["true"] * 2000) for word in (" AND ", " OR ", " XOR ")]
    deep += ["RETURN [" + ", ".join(["1"] * 9000) + "]"]
    deep += [" UNION ALL ".join(["RETURN 1 AS x"] * n) for n in (50, 1000)]
    deep += ["MATCH " + ", ".join(f"(a{i})-[r{i}]-(b{i})" for i in range(n)) + " RETURN count(*)" for n in (6, 200)]
    deep += ["RETURN " + "CASE WHEN true THEN " * n + "1" + " END" * n for n in (50, 800)]
    deep += ["WITH 1 AS x " * n + "RETURN x" for n in (200, 1600)]
    deep += ["UNWIND [1, 2] AS x " + "".join(f"UNWIND [x, x] AS x{i} " for i in range(60)) + "RETURN count(*)"]
    deep += ["MATCH (a)" + "-[:A]-()" * 2000 + " RETURN 1", "RETURN '" + "x" * 30_000 + "'", "RETURN $" + "x" * 9000]
    return deep
