"""Bundles: a folder of Parquet files, one a table of the schema, and a manifest.

A bundle's uid is a hash of its content: of the rows, not of their order or of how Parquet encoded them.
What makes a bundle fit to load is checked in `store/validation.py`. Knows nothing of databases.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, StrictInt, ValidationError

from store.aside import aside, put_in_place
from store.digest import combined_hash, content_hash, in_order, nulls, one
from store.disk import sync
from store.errors import BundleError
from store.ownership import Ends
from store.schema import SCHEMA_VERSION, TABLES, Table

MANIFEST = "manifest.json"
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TableEntry(BaseModel, extra="forbid"):
    """What a manifest says of one table."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.parquet$")]
    rows: Annotated[int, Field(gt=0)]
    sha256: _Hash
    content: _Hash


class Manifest(BaseModel, extra="forbid"):
    """`manifest.json`."""

    format: Literal["circuitstore bundle"] = "circuitstore bundle"
    schema_version: StrictInt
    program_version: str
    uid: _Hash
    tables: dict[str, TableEntry]
    provenance: dict[str, Any]


class Bundle:
    """An opened bundle. Only the manifest has been read; tables are read when asked for, once."""

    def __init__(self, path: Path, manifest: Manifest, tables: dict[str, pa.Table] | None = None) -> None:
        """tables: what its files hold, as far as it is known."""
        self.path = path
        self.manifest = manifest
        self._tables = tables or {}
        self._valid = False

    @property
    def uid(self) -> str:
        return self.manifest.uid

    @property
    def rows(self) -> int:
        return sum(entry.rows for entry in self.manifest.tables.values())

    def table(self, name: str) -> pa.Table:
        """A table of the schema by name; one that the bundle does not hold has no rows."""
        table = self.encoded(name)
        return pa.table([_plain(column) for column in table.columns], names=table.column_names)

    def encoded(self, name: str) -> pa.Table:
        """The same, in less memory: of a relationship's ends, each uid is held once (Arrow's dictionary encoding)."""
        if name not in self._tables:
            entry = self.manifest.tables.get(name)
            self._tables[name] = self._read(TABLES[name], entry) if entry else TABLES[name].schema.empty_table()
        return self._tables[name]

    def file(self, name: str) -> Path:
        return self.path / self.manifest.tables[name].file

    @cached_property
    def ends(self) -> Ends:
        """Where its relationships lead."""
        return Ends(self.encoded)

    def validate(self) -> None:
        """Raises BundleError, naming file and row, for whatever makes it unfit to load. Checked once."""
        from store.validation import validate

        if not self._valid:
            validate(self)
            self._valid = True

    def _read(self, table: Table, entry: TableEntry) -> pa.Table:
        file = self.path / entry.file
        try:
            # Not Python's: Arrow's threads may give the file back when the interpreter has ended, and abort.
            stream = pa.OSFile(str(file))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            raise BundleError(f"{file}: {reason}; write the bundle again") from error
        with stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
                raise BundleError(f"{file} is not the file that was written (its hash differs); write the bundle again")
            stream.seek(0)
            try:
                read = pq.read_table(stream, read_dictionary=_ends(table))
            except (pa.ArrowException, OSError) as error:
                raise BundleError(f"{file} is not a readable Parquet file ({error}); write the bundle again") from error
        names = [column.name for column in table.columns]
        lacking = {column.name for column in table.columns if column.is_late} - set(read.column_names)
        if read.column_names != [name for name in names if name not in lacking]:
            raise BundleError(f"{file} has the columns {', '.join(read.column_names)}; expected {', '.join(names)}")
        for place, column in enumerate(table.columns):
            if column.name in lacking:
                read = read.add_column(place, column.name, pa.nulls(read.num_rows, column.type.arrow))
            found = _type(read[column.name])
            if found != column.type.arrow:
                raise BundleError(f"{file}: {column.name} has type {found}; expected {column.type.arrow}")
        return pa.table([one(read[name]) for name in names], schema=pa.schema(
            [pa.field(name, read.schema.field(name).type) for name in names]
        ))  # fmt: skip


def open_bundle(path: str | Path) -> Bundle:
    """Read a bundle's manifest. Raises BundleError where there is none of this schema version."""
    folder = Path(path)
    file = folder / MANIFEST
    if not file.is_file():
        why = "holds none" if folder.is_dir() else "is no folder" if folder.exists() else "is not there"
        other = "; circuitstore import takes other tools' files" if folder.is_file() else ""
        raise BundleError(f"{folder} is no bundle: it {why}; name a bundle, or a folder that holds some: circuitstore "
                          f"ingest writes them to bundles/ unless --out says otherwise{other}")  # fmt: skip
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{file} can't be read ({error}); write the bundle again") from error
    if not isinstance(said, dict):
        raise BundleError(f"{file} is no JSON object; write the bundle again")
    stated = said.get("schema_version")
    if type(stated) is int and stated != SCHEMA_VERSION:
        way_out = "upgrade circuitstore" if stated > SCHEMA_VERSION else "write the bundle again with this circuitstore"
        raise BundleError(f"{folder} has schema version {stated}, this program knows {SCHEMA_VERSION}: {way_out}")
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise BundleError(f"{file}: {where}: {first['msg']}; write the bundle again") from error
    return Bundle(folder, manifest)


def write_bundle(
    folder: str | Path, tables: Mapping[str, pa.Table], provenance: dict[str, Any], *, replace: bool = False
) -> Bundle:
    """Write a bundle aside, check it, and rename it into place.

    tables: by the names of `TABLES`, rows in any order; optional columns may be missing; empty tables are left out.
    provenance: what JSON can hold; no part of the uid.
    A folder that holds the same content already is left alone; one that holds anything else is an error
    unless `replace` is given (only a bundle is ever replaced). Raises BundleError.
    """
    target = Path(folder)
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise BundleError(f"{target}: the schema has no table {unknown[0]!r}; it has {', '.join(TABLES)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with aside(target) as written:
            try:
                bundle = _write(written, target, tables, provenance)
                bundle.validate()
                _put_in_place(bundle, target, replace)
            except BundleError as error:
                raise BundleError(str(error).replace(str(written), str(target))) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BundleError(f"{target} can't be written: {reason}") from error
    return open_bundle(target)


def _write(written: Path, target: Path, tables: Mapping[str, pa.Table], provenance: dict[str, Any]) -> Bundle:
    entries: dict[str, TableEntry] = {}
    held: dict[str, pa.Table] = {}
    for name, of in TABLES.items():
        given = tables.get(name)
        if given is None or given.num_rows == 0:
            continue
        rows = held[name] = in_order(_conform(given, of, target), of)
        file = written / f"{name}.parquet"
        pq.write_table(
            rows, file, compression="lz4", use_dictionary=_ends(of) or False, write_statistics=False, store_schema=False
        )
        sync(file)
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        entries[name] = TableEntry(file=file.name, rows=rows.num_rows, sha256=sha256, content=content_hash(rows, of))
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        program_version=program_version(),
        uid=combined_hash({name: entry.content for name, entry in entries.items()}),
        tables=entries,
        provenance=provenance,
    )
    text = json.dumps(manifest.model_dump(), indent=1, ensure_ascii=False) + "\n"
    (written / MANIFEST).write_text(text, encoding="utf-8")
    sync(written / MANIFEST)
    sync(written)
    return Bundle(written, manifest, held)


def _conform(given: pa.Table, of: Table, target: Path) -> pa.Table:
    """The table with the schema's columns, in its order and types."""
    extra = sorted(set(given.column_names) - {column.name for column in of.columns})
    if extra:
        raise BundleError(f"{target}: {of.name} has no column {extra[0]!r} in the schema")
    columns = []
    for column in of.columns:
        if column.name not in given.column_names:
            if not column.optional:
                raise BundleError(f"{target}: {of.name} lacks its column {column.name!r}")
            columns.append(nulls(given.num_rows, column.type.arrow))
            continue
        values = given[column.name]
        try:
            columns.append(one(values if _type(values) == column.type.arrow else values.cast(column.type.arrow)))
        except pa.ArrowException as error:
            raise BundleError(f"{target}: {of.name}.{column.name} is no {column.type.arrow}: {error}") from error
    names = [column.name for column in of.columns]
    return pa.table(columns, names=names)


def _ends(of: Table) -> list[str]:
    """The columns in which a uid recurs."""
    return [] if of.is_node else ["source", "target"]


def _type(values: pa.ChunkedArray) -> pa.DataType:
    """What a column holds, however it is encoded."""
    return values.type.value_type if pa.types.is_dictionary(values.type) else values.type


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _put_in_place(bundle: Bundle, target: Path, replace: bool) -> None:
    if target.exists():
        there = _sound(target) if (target / MANIFEST).exists() else None
        if there and there.uid == bundle.uid:
            return
        damaged = there is None and (target / MANIFEST).exists()
        empty = target.is_dir() and not any(target.iterdir())
        if there is None and not empty and not (damaged and replace):
            raise BundleError(f"{target} exists and is no bundle: write to another folder")
        if there and not replace:
            raise BundleError(f"{target} holds another bundle: write to another folder, or say to replace it")
    put_in_place(bundle.path, target)


def _sound(folder: Path) -> Bundle | None:
    """The bundle in a folder, if it can be loaded."""
    try:
        bundle = open_bundle(folder)
        bundle.validate()
    except BundleError:
        return None
    return bundle


@cache
def program_version() -> str:
    try:
        return version("circuitstore")
    except PackageNotFoundError:
        return "unknown"
