import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.project.repository import ROOT, tracked


def test_the_wheel_holds_every_query_and_no_test(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in tracked():
        if name.split("/")[0] in ("api", "ingest", "queries", "store") or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = [name for name in tracked() if name.startswith(("api/", "ingest/", "queries/", "store/"))]
    assert {name for name in shipped if not name.endswith(".md")} | {"circuitstore.py"} <= held
    assert not [name for name in held if name.startswith(("tests/", "bench/", "demo/"))]
