"""What a large file costs in memory; `python -m bench.imports --megabytes 1700` measures one of 1.7 GB."""

import subprocess
import sys
from pathlib import Path

from tests.ingest.formats.graphs import write_large
from tests.project.repository import ROOT

SCRIPT = """
import resource, sys
from pathlib import Path
from ingest.formats.importing import import_all
(bundle,) = import_all([sys.argv[1]], "auto", Path(sys.argv[2]))
factor = 1 if sys.platform == "darwin" else 1024
print(bundle.manifest.tables["ATTRIBUTES_TO"].rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * factor)
"""


def test_memory_grows_with_less_than_half_of_the_file(tmp_path: Path) -> None:
    sizes, peaks = [], []
    for megabytes in (20, 120):
        file = tmp_path / f"{megabytes}.json"
        links = write_large(file, megabytes)
        command = [sys.executable, "-c", SCRIPT, str(file), str(tmp_path / "bundles")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        rows, peak = map(int, done.stdout.split())
        assert rows == links
        sizes.append(file.stat().st_size)
        peaks.append(peak)
    assert peaks[1] - peaks[0] < (sizes[1] - sizes[0]) / 2
