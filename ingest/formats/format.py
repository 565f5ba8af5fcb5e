"""What a format is, and the file that one reads."""

import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from ingest.formats.foreign import ForeignError
from store.errors import ImportFormatError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Tables = Mapping[str, pa.Table]
"""A circuit with all that it refers to, by the names of `store.schema.TABLES`; what `write_bundle` takes."""

GZIP = b"\x1f\x8b"
MAX_RATIO = 200
"""What gzip may make of one byte. Attribution graphs come to 10 to 30, a bomb to 1,000."""
_HEAD = 1 << 16


@dataclass(frozen=True)
class Source:
    """A file to import."""

    path: Path
    name: str
    """What messages call it."""
    model: str = ""
    """The model's name, where the one who imports says it: some files don't."""
    note: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)
    """Told what the one who imports should know."""

    @cached_property
    def head(self) -> bytes:
        """Its first bytes, unpacked where it is gzipped."""
        with self.open() as stream:
            return stream.read(_HEAD)

    def open(self) -> BinaryIO:
        """Its bytes, unpacked where it is gzipped."""
        stream = self.path.open("rb")
        if stream.read(len(GZIP)) == GZIP:
            stream.seek(0)
            return io.BufferedReader(_Unpacked(stream, self.name), _HEAD)
        stream.seek(0)
        return stream

    def refuse(self, what: str) -> ImportFormatError:
        """The error to raise. what: the place in the file, what is wrong there, and the way out."""
        return ImportFormatError(f"{self.name}: {what}")

    def model_name(self, said: str | None, stand_in: str) -> str:
        """The model's name: what the one who imports says, else the file, else a stand-in."""
        if not self.model and not said:
            self.note(f"{self.name}: it names no model, so this one is called {stand_in!r}; --model NAME names it")
        return self.model or said or stand_in

    @contextmanager
    def named(self) -> Iterator[None]:
        """Inside, a ForeignError becomes an ImportFormatError that names the file."""
        try:
            yield
        except ForeignError as error:
            raise self.refuse(str(error)) from None


@dataclass(frozen=True)
class Format:
    """A foreign format. What it can't do is None.

    sniff: whether a file of this name that begins with these bytes is likely of this format.
    read: the circuits of a file, one after the other; raises ImportFormatError with the place in the file, before
    anything is written. write: a circuit as one file. write_folder: a circuit as an empty folder's files.
    """

    name: str
    suffix: str
    meaning: str
    sniff: Callable[[str, bytes], bool] | None = None
    read: Callable[[Source], Iterator[Tables]] | None = None
    write: Callable[[Tables, BinaryIO], None] | None = None
    write_folder: Callable[[Tables, Path], None] | None = None


class _Unpacked(io.RawIOBase):
    """A gzipped file's content, as long as it doesn't grow out of all proportion."""

    def __init__(self, packed: BinaryIO, name: str) -> None:
        self._packed, self._name = packed, name
        self._unpacked = gzip.GzipFile(fileobj=packed)
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        try:
            read = self._unpacked.read(len(room))
        except (OSError, EOFError) as error:
            raise ImportFormatError(f"{self._name}: unpacked byte {self._size:,}: the gzip data are damaged or "
                                    f"truncated ({error}); get the file again") from error  # fmt: skip
        self._size += len(read)
        if self._size > MAX_RATIO * (self._packed.tell() + _HEAD):
            raise ImportFormatError(f"{self._name}: unpacked byte {self._size:,}: more than {MAX_RATIO} times its "
                                    "packed size, as of a zip bomb; unpack it first if you trust it")  # fmt: skip
        room[: len(read)] = read
        return len(read)

    def close(self) -> None:
        if not self.closed:
            self._unpacked.close()
            self._packed.close()
        super().close()
