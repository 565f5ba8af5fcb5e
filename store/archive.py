"""Bundles in a tar archive, as they are sent over a network.

Every folder of the archive that holds a manifest is a bundle; whatever else lies there is left out. What a bundle holds
is no matter here.
"""

import errno
import lzma
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from store.bundle import MANIFEST
from store.errors import BundleError

_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OverflowError, ValueError)


def unpack(archive: Path, name: str, into: Path, most: int) -> list[Path]:
    """The folders of the bundles of a tar archive, compressed or not, as they were written below `into`.

    name: what messages call the archive. most: bytes that its members may come to. Only plain files are taken, and none
    that would lie elsewhere. Raises BundleError, which names the archive and the member.
    """
    folders = set()
    size = 0
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                size += member.size
                if size > most:
                    raise BundleError(f"{name}: {member.name}: unpacked, it has more than {most >> 20} MiB")
                path = PurePosixPath(member.name)
                if not _is_wanted(path):
                    continue
                content = None if member.issparse() or not member.isreg() else opened.extractfile(member)
                if content is None or path.is_absolute() or ".." in path.parts:
                    raise BundleError(f"{name}: {member.name} is no plain file below the archive's folder")
                folders.add(_write(content, into / path, f"{name}: {member.name}"))
    except _DAMAGED as error:
        raise BundleError(f"{name} is no tar archive, or a damaged one ({error}): `tar -c BUNDLE` makes one") from error
    bundles = sorted(folder for folder in folders if (folder / MANIFEST).exists())
    if not bundles:
        raise BundleError(f"{name} holds no bundle: no folder in it has a {MANIFEST}; `tar -c BUNDLE` makes one")
    return bundles


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
