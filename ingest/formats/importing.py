"""Files of other tools into bundles, one a circuit; and stored circuits into such files."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from ingest.formats import archive
from ingest.formats.format import Format, Source, Tables
from ingest.formats.registry import FORMATS, readable, recognised
from store.aside import aside, put_in_place
from store.bundle import MANIFEST, Bundle, open_bundle, write_bundle
from store.disk import put
from store.errors import BundleError, CircuitstoreError, UsageError

AUTO = "auto"


def import_all(
    given: Sequence[str],
    format: str,
    out: Path,
    model: str = "",
    *,
    note: Callable[[str], None] = lambda _: None,
    refused: Callable[[CircuitstoreError], None] | None = None,
) -> Iterator[Bundle]:
    """The bundles of files and folders, written below `out`; one that is a bundle already is left where it is.

    given: paths, or '-' for standard input. format: a format's name, 'bundles' for a tar archive of some, or 'auto'.
    model: its name, for files that don't say it. note: told what the one who imports should know. refused: told of
    each file that can't be imported, and of each path that leads to none; else the first of them is raised.
    Raises ImportFormatError or BundleError, which name the file and the place in it, or UsageError.
    """
    chosen = None if format in (AUTO, archive.NAME) else readable(format)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out: {out} is no folder")
    for name in given:
        with _told(refused), _sources(name) as sources:
            for source in sources:
                bundles: list[Bundle] = []
                with _told(refused):
                    if format == archive.NAME:
                        bundles = list(_unpacked(source, out))
                    else:
                        bundles = list(_bundles(replace(source, model=model, note=note), chosen, out))
                yield from bundles


@contextmanager
def _told(refused: Callable[[CircuitstoreError], None] | None) -> Iterator[None]:
    try:
        yield
    except CircuitstoreError as error:
        if refused is None:
            raise
        refused(error)
    except OSError as error:
        if refused is None:
            raise
        refused(CircuitstoreError(f"{error.filename}: {error.strerror}" if error.filename else str(error)))


@contextmanager
def _sources(name: str) -> Iterator[list[Source]]:
    if name == "-":
        with TemporaryDirectory() as folder:
            file = Path(folder) / "stdin"
            with file.open("wb") as stream:
                shutil.copyfileobj(sys.stdin.buffer, stream, 1 << 20)
            yield [Source(file, "standard input")]
        return
    path = Path(name)
    if not path.exists():
        raise UsageError(f"{name}: there is no such file or folder")
    if not path.is_dir() or (path / MANIFEST).exists():
        yield [Source(path, name)]
        return
    inside = sorted(one for one in path.iterdir() if not one.name.startswith("."))
    sources = [Source(one, str(one)) for one in inside if one.is_file() or (one / MANIFEST).exists()]
    if not sources:
        raise UsageError(f"{name}: the folder holds no file to import")
    yield sources


def _bundles(source: Source, chosen: Format | None, out: Path) -> Iterator[Bundle]:
    if source.path.is_dir():
        yield open_bundle(source.path)
        return
    _require_content(source)
    found = chosen or recognised(source)
    if found is None and archive.is_archive(source.path):
        yield from _unpacked(source, out)
        return
    if found is None or found.read is None:
        names = ", ".join([*(one.name for one in FORMATS.values() if one.read), archive.NAME])
        raise source.refuse(f"it looks like no format that can be imported ({names}); name one with --format")
    for tables in found.read(source):
        named = tables["Model"]["name"][0].as_py()
        if source.model not in ("", named):
            source.note(f"{source.name}: it names its model {named!r}, and --model is for files that name none")
        yield _write(tables, found, source, out)


def _unpacked(source: Source, out: Path) -> Iterator[Bundle]:
    """The bundles of an archive, all of them checked before the first is put below `out`, under its own name."""
    _require_content(source)
    out.mkdir(parents=True, exist_ok=True)
    with aside(out / "archive") as folder:
        try:
            bundles = [open_bundle(path) for path in archive.unpack(source.path, source.name, folder)]
            for bundle in bundles:
                bundle.validate()
        except BundleError as error:
            told = str(error).replace(f"{folder}/", f"{source.name}: ").replace(str(folder), source.name)
            raise BundleError(told) from error
        for bundle in bundles:
            target = out / (bundle.path.name if bundle.path != folder else bundle.uid[:16])
            if (target / MANIFEST).exists() and open_bundle(target).uid != bundle.uid:
                raise source.refuse(f"{target} holds another bundle of that name: say where else with --out")
            put_in_place(bundle.path, target)
            yield open_bundle(target)


def _require_content(source: Source) -> None:
    if source.path.stat().st_size == 0:
        raise source.refuse("the file is empty")


def _write(tables: Tables, format: Format, source: Source, out: Path) -> Bundle:
    circuit = tables["Circuit"]["uid"][0].as_py()
    folder = out / circuit.replace(":", "-")
    said = {"command": "import", "format": format.name, "file": Path(source.name).name}
    try:
        return write_bundle(folder, tables, said, replace=True)
    except BundleError as error:
        raise source.refuse(str(error).removeprefix(f"{folder}/")) from error


def export(tables: Tables, format: Format, out: Path | None, stdout: BinaryIO) -> None:
    """Writes a circuit in a format. What is at `out` is replaced when all is written, not before.

    out: None for standard output, which takes single files only. Raises UsageError.
    """
    if out is not None and not out.parent.is_dir():
        raise UsageError(f"--out: there is no folder {out.parent}; make it first")
    if format.write_folder is not None:
        if out is None:
            raise UsageError(f"--format {format.name} makes a folder: say which with --out")
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise UsageError(f"--out: {out} exists and is no empty folder")
        with aside(out) as folder:
            format.write_folder(tables, folder)
            put_in_place(folder, out)
        return
    assert format.write is not None
    if out is None:
        format.write(tables, stdout)
        return
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder; name a file, such as {out / ('circuit' + format.suffix)}")
    put(out, partial(_write_file, tables, format.write))


def _write_file(tables: Tables, write: Callable[[Tables, BinaryIO], None], file: Path) -> None:
    with file.open("wb") as stream:
        write(tables, stream)
