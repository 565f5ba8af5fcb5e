"""Bundles in a tar archive, as they are sent over a network.

Every folder of the archive that holds a manifest is a bundle; whatever else lies there is left out.
"""

import bz2
import errno
import gzip
import io
import lzma
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from store.bundle import MANIFEST
from store.errors import BundleError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

NAME = "bundles"
"""What `--format` calls it."""
MAX_RATIO = 20
"""What a compressed archive may unpack to: Parquet files hardly shrink, rows of zeros and headers do."""
MAX_MEMBERS = 100_000
_ROOM = 1 << 20
_END = 1024
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OverflowError, ValueError, RecursionError)


def is_archive(file: Path) -> bool:
    try:
        return tarfile.is_tarfile(file)
    except (*_DAMAGED, OSError):
        return False


def unpack(archive: Path, name: str, into: Path) -> list[Path]:
    """The folders of the bundles of a tar archive, compressed or not, as they were written below `into`.

    name: what messages call the archive. Only plain files are taken, and none that would lie elsewhere. Raises
    BundleError, which names the archive and the member.
    """
    most = MAX_RATIO * archive.stat().st_size + _ROOM
    folders = set()
    try:
        with (
            _unpacked(archive) as packed,
            _Counted(packed, name, most) as counted,
            io.BufferedReader(counted) as stream,
            tarfile.open(fileobj=stream, mode="r|") as opened,
        ):
            for number, member in enumerate(opened):
                if number == MAX_MEMBERS:
                    raise BundleError(f"{name} has more than {MAX_MEMBERS:,} members")
                path = PurePosixPath(member.name)
                if not _is_wanted(path):
                    continue
                plain = member.isreg() and not member.issparse() and not path.is_absolute() and ".." not in path.parts
                content = opened.extractfile(member) if plain else None
                if content is None:
                    raise BundleError(f"{name}: {member.name!a} is no plain file below the archive's folder")
                folders.add(_write(content, into / path, f"{name}: {member.name!a}"))
            while stream.read(1 << 20):
                pass  # the check sum stands at the end
            if counted.tail != bytes(_END):
                raise BundleError(f"{name} is no tar archive, or a damaged one: its end is missing; send it again")
    except _DAMAGED as error:
        raise BundleError(f"{name} is no tar archive, or a damaged one ({error}): `tar -c BUNDLE` makes one") from error
    except OSError as error:
        if error.errno is None:  # what the decompressors say
            raise BundleError(f"{name} is damaged: {error}") from error
        raise
    bundles = sorted(folder for folder in folders if (folder / MANIFEST).exists())
    if not bundles:
        raise BundleError(f"{name} holds no bundle: no folder in it has a {MANIFEST}; `tar -c BUNDLE` makes one")
    return bundles


def _unpacked(archive: Path) -> IO[bytes]:
    with archive.open("rb") as stream:
        head = stream.read(8)
    for magic, opener in _OPENERS.items():
        if head.startswith(magic):
            return opener(archive)  # type: ignore[operator,no-any-return]  # the three openers have no type in common
    return archive.open("rb")


class _Counted(io.RawIOBase):
    """A stream that ends with an error when more has been read than may be, whatever headers say of sizes."""

    def __init__(self, stream: IO[bytes], name: str, most: int) -> None:
        self._stream, self._name, self._left, self._most = stream, name, most, most
        self.tail = b""
        """The last bytes that were read: zeros where an archive is whole."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        read = self._stream.read(len(room))
        self._left -= len(read)
        if self._left < 0:
            raise BundleError(f"{self._name}: unpacked, it has more than {self._most:,} bytes, as of a bomb")
        self.tail = (self.tail + read)[-_END:]
        room[: len(read)] = read
        return len(read)


def _write(content: IO[bytes], path: Path, name: str) -> Path:
    """Returns the folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
            raise BundleError(f"{name} can't be the name of a file: {error.strerror}") from error
        raise
    return path.parent


def _is_wanted(path: PurePosixPath) -> bool:
    return path.name == MANIFEST or (path.suffix == ".parquet" and not path.name.startswith("."))
