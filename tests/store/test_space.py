import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.bundle import write_bundle
from store.database import open_store
from store.errors import BundleError, StoreError
from tests.conftest import no_skip_in_ci
from tests.graphs import random_bundle, random_tables


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 48 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        no_skip_in_ci("a disk that is full can only be had by root, with tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_load_that_the_disk_has_no_room_for_is_refused_and_leaves_the_store_as_it_was(
    small_disk: Path, tmp_path: Path
) -> None:
    url = f"ladybug:{small_disk}/store.lbug"
    large = random_bundle(tmp_path / "large", 1, n_circuits=10, n_nodes=2000, n_edges=20_000)
    with open_store(url) as store:
        store.load(random_bundle(tmp_path / "small", 0))
        before = store.digest()
        with pytest.raises(
            StoreError, match=r"no space left on the disk of .*store\.lbug: loading .*large takes up to"
        ):
            store.load(large)
    with open_store(url) as store:
        assert store.digest() == before


def test_a_first_load_that_the_disk_has_no_room_for_makes_no_store(small_disk: Path, tmp_path: Path) -> None:
    bundle = random_bundle(tmp_path / "large", 1, n_circuits=10, n_nodes=2000, n_edges=20_000)
    for filled in (28, 44):
        (small_disk / "filled").write_bytes(bytes(filled * 2**20))
        with (
            pytest.raises(StoreError, match="no space left on the disk"),
            open_store(f"ladybug:{small_disk}/below/store.lbug") as store,
        ):
            store.load(bundle)
    assert [path.name for path in small_disk.iterdir()] == ["filled"]


def test_a_bundle_that_the_disk_has_no_room_for_leaves_nothing(small_disk: Path) -> None:
    (small_disk / "filled").write_bytes(bytes(48 * 2**20 - 2**14))
    tables = random_tables(1, n_circuits=2, n_nodes=2000, n_edges=20_000)
    with pytest.raises(BundleError, match="can't be written: No space left"):
        write_bundle(small_disk / "bundle", tables, {})
    assert [path.name for path in small_disk.iterdir()] == ["filled"]
