"""Kills an ingest of a tiny recipe a hundred times, and fails unless what it comes to is what an undisturbed one gives.

    python -m bench.kill_ingest [--kills 100] [--seed 0]

No benchmark: `python -m bench` leaves it out, since it takes minutes.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models are computed fastest on one core; read with torch

from tests.ingest import killing
from tests.ingest.tiny import save_recipe


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--kills", type=int, default=100, help="how many ingests to kill")
    options.add_argument("--seed", type=int, default=0, help="seed of the moments at which they are killed")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killing.main(save_recipe(Path(folder)), Path(folder) / "kills", given.kills, given.seed)


if __name__ == "__main__":
    main()
