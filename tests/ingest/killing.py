"""Kills an ingest again and again, and says whether what comes out in the end is what an undisturbed one gives.

    python -m tests.ingest.killing RECIPE FOLDER KILLS SEED

A program of its own: it reads the libraries once and forks, since reading them takes longer than a small ingest.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from ingest.job import run_recipe
from store.bundle import open_bundle


def start(recipe: Path, out: Path) -> int:
    """An ingest in a process of its own. Returns its id."""
    child = os.fork()
    if child == 0:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        try:
            run_recipe(recipe, out)
        except BaseException:  # noqa: BLE001 (the child must end here, whatever happens)
            os._exit(1)
        os._exit(0)
    return child


def finish(child: int) -> None:
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"an ingest that nobody killed ended with {status}")


def stages(out: Path) -> dict[str, int]:
    """When each finished stage was written."""
    return {str(file): file.stat().st_mtime_ns for file in out.glob(".work/*/*.safetensors")}


def kill_repeatedly(recipe: Path, folder: Path, kills: int, seed: int) -> tuple[int, int]:
    """Returns how many ingests were killed, and after how many of them something had been done already."""
    chance = random.Random(seed)
    began = time.monotonic()
    finish(start(recipe, folder / "undisturbed"))
    length = time.monotonic() - began
    killed = kept = 0
    outs = [folder / "killed"]
    while killed < kills:
        before = stages(outs[-1])
        child = start(recipe, outs[-1])
        time.sleep(chance.uniform(0, length / 2 if kept < kills / 2 else length))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
        if any(outs[-1].glob("[!.]*")):  # the bundle is there: begin anew
            outs.append(folder / f"killed-{killed}")
            continue
        after = stages(outs[-1])
        if any(after.get(file) != written for file, written in before.items()):
            raise SystemExit("a stage that was done was done again")
        kept += bool(after)
    wanted = uid_of(folder / "undisturbed")
    for out in outs:
        finish(start(recipe, out))
        if uid_of(out) != wanted:
            raise SystemExit(f"the bundles differ: {wanted}, and {uid_of(out)} in {out}")
        if left := [file for file in out.glob(".work/*/*") if file.name not in ("done.json", ".lock")]:
            raise SystemExit(f"left behind: {left}")
    return killed, kept


def uid_of(out: Path) -> str:
    """Of the one bundle that an ingest wrote."""
    (bundle,) = out.glob("[!.]*")
    return open_bundle(bundle).uid


def main(recipe: Path, folder: Path, kills: int, seed: int) -> None:
    import ingest.assembly
    import ingest.pipeline
    import ingest.subject  # noqa: F401 (read once, before the first fork)

    killed, kept = kill_repeatedly(recipe, folder, kills, seed)
    print(f"{killed} kills, {kept} of them after something was done: the same bundle")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
