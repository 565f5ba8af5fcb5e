"""Tar archives of bundles: what is none is refused by name, whatever it would do, and leaves nothing."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.formats.importing import import_all
from store.bundle import open_bundle
from store.errors import CircuitstoreError
from tests.ingest.formats.archives import archive, archive_of
from tests.queries.loading import write_world


def _sparse() -> bytes:
    member = tarfile.TarInfo("a/manifest.json")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    member.size = 512
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(b"0\n".ljust(512, b"\0")))
    return into.getvalue()


def _link(kind: bytes) -> bytes:
    member = tarfile.TarInfo("a/manifest.json")
    member.type, member.linkname = kind, "/etc/passwd"
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as tar:
        tar.addfile(member)
    return into.getvalue()


def _climbing(folder: Path) -> bytes:
    """A bundle whose manifest names a file that lies elsewhere."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["Circuit"]["file"] = "../../other.parquet"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return archive(folder)


def _bomb() -> bytes:
    return archive_of({"a/zeros": bytes(30 * 2**20)}, "w:gz")


def _negative() -> bytes:
    """A folder of less than no bytes, before the zeros."""
    member = tarfile.TarInfo("d")
    member.type = tarfile.DIRTYPE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" + (-(2**40)).to_bytes(11, "big", signed=True)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + archive_of({"a/zeros": bytes(30 * 2**20)}))


def _headers() -> bytes:
    """A name of thirty megabytes."""
    member = tarfile.TarInfo("a/manifest.json")
    member.pax_headers = {"comment": "x" * (30 * 2**20)}
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)
    return into.getvalue()


def _nested() -> bytes:
    """Headers that each announce the next one's name, which tarfile reads by calling itself."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2
    return gzip.compress((member.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 3000)


def _flipped(packed: bytes) -> bytes:
    return packed[:-8] + bytes(4) + packed[-4:]


_OLD = json.dumps({"format": "circuitstore bundle", "schema_version": 1}).encode()


BAD: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "nothing": (lambda _: b"", "bundles.tar: the file is empty"),
    "no archive": (lambda _: b"<html>" * 500, "bundles.tar is no tar archive"),
    "an empty archive": (lambda _: archive_of({}), "bundles.tar holds no bundle: no folder in it has a manifest.json"),
    "other files": (lambda _: archive_of({"a/b.parquet": b"x"}), "bundles.tar holds no bundle"),
    "half an archive": (lambda folder: archive(folder)[:3000], "no tar archive, or a damaged one"),
    "half a packed archive": (lambda folder: archive(folder, "w:gz")[:3000], "no tar archive, or a damaged one"),
    "no manifest of ours": (lambda _: archive_of({"a/manifest.json": b"{}"}), "manifest.json: schema_version: Field"),
    "a table missing": (
        lambda folder: archive_of({"b/manifest.json": (folder / "manifest.json").read_bytes()}),
        r"b/[A-Z_]+\.parquet is missing",
    ),
    "a link": (lambda _: _link(tarfile.SYMTYPE), "'a/manifest.json' is no plain file"),
    "a hard link": (lambda _: _link(tarfile.LNKTYPE), "'a/manifest.json' is no plain file"),
    "a device": (lambda _: _link(tarfile.CHRTYPE), "'a/manifest.json' is no plain file"),
    "a sparse file": (lambda _: _sparse(), "bundles.tar: "),
    "a file elsewhere": (_climbing, r"tables.Circuit.file: String should match pattern"),
    "a file above": (lambda _: archive_of({"../manifest.json": b"{}"}), "'../manifest.json' is no plain file below"),
    "a file at the root": (
        lambda _: archive_of({"/etc/manifest.json": b"{}"}),
        "'/etc/manifest.json' is no plain file",
    ),
    "a long name": (lambda _: archive_of({"a" * 300 + "/manifest.json": b"{}"}), "can't be the name of a file"),
    "a file that is a folder": (
        lambda _: archive_of({"manifest.json": b"{}", "manifest.json/manifest.json": b"{}"}),
        "can't be the name of a file",
    ),
    "a name of two lines": (lambda _: archive_of({"a\n\0/manifest.json": b"{}"}), "bundles.tar"),
    "a bomb": (lambda _: _bomb(), r"bundles.tar: unpacked, it has more than \d"),
    "a bomb that takes bytes off": (lambda _: _negative(), "bundles.tar"),
    "a bomb of headers": (lambda _: _headers(), "bundles.tar"),
    "names in names": (lambda _: _nested(), "bundles.tar is no tar archive, or a damaged one"),
    "a name that is no text": (
        lambda _: archive_of({"a/\udcff\udcfe/../manifest.json": b"{}"}),
        r"'a/\\udcff\\udcfe/../manifest.json' is no plain file",
    ),
    "a check sum that is wrong": (lambda folder: _flipped(archive(folder, "w:gz")), "bundles.tar is damaged"),
    "another version at the root": (
        lambda _: archive_of({"manifest.json": _OLD}),
        "^bundles.tar.* has schema version 1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_archive_of_bundles_is_refused_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, why = BAD[name]
    (bundle,) = write_world(tmp_path / "sent", [0])
    monkeypatch.chdir(tmp_path)
    Path("bundles.tar").write_bytes(make(bundle))
    with pytest.raises(CircuitstoreError) as raised:
        list(import_all(["bundles.tar"], "bundles", Path("out")))
    told = str(raised.value).replace("out/", "")
    assert re.search(why, told), told
    assert told.isascii()
    assert not Path("out").exists() or list(Path("out").iterdir()) == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_bundles_come_out_as_they_were_and_again_is_the_same(mode: str, tmp_path: Path) -> None:
    sent = [open_bundle(path) for path in write_world(tmp_path / "sent", range(2))]
    file = tmp_path / "sent.tar"
    file.write_bytes(archive(tmp_path / "sent", mode, **{"sent/plots/a.png": b"picture"}))
    for _ in range(2):
        got = list(import_all([str(file)], "auto", tmp_path / "out"))
        assert [bundle.uid for bundle in got] == [bundle.uid for bundle in sent]
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [bundle.path.name for bundle in sent]
    other = archive_of({f"x/bundle-0/{path.name}": path.read_bytes() for path in sent[1].path.iterdir()})
    file.write_bytes(other)
    with pytest.raises(CircuitstoreError, match="bundle-0 holds another bundle of that name"):
        list(import_all([str(file)], "auto", tmp_path / "out"))
