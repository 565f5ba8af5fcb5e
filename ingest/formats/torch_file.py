"""What `torch.save` wrote, with its tensors as NumPy arrays: without torch, and without running code of the file.

Both of torch's layouts are read: a zip archive (since 1.6) and the older row of pickles. The file is mapped into
memory, and a tensor's numbers are read where they stand, when asked for: what is not asked for costs nothing, and no
more memory is taken than the file has bytes. Knows nothing of circuits.
"""

import io
import math
import mmap
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.formats.pickles import LARGEST, Named, PickleError, Unpickler

Array = np.ndarray[Any, Any]

_TYPES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
}  # fmt: skip
_TENSOR = "torch._utils._rebuild_tensor_v2"
_SPARSE = "torch._utils._rebuild_sparse_tensor"
_FUNCTIONS = {_TENSOR, _SPARSE, "torch.Size", "torch.serialization._get_layout", "collections.OrderedDict"}
_STORAGES = {f"torch.{name}" for name in _TYPES}
_MAGIC = 0x1950A86A20F9469CFC6C
ZIP_HEADER = b"PK\x03\x04"
LEGACY_HEADER = b"\x80\x02\x8a\x0a" + _MAGIC.to_bytes(10, "little")


class TorchFileError(Exception):
    """What of the file can't be read."""


@dataclass
class Storage:
    """Numbers in a row. They are in the file's bytes from `start` on, once that is known."""

    type: str
    key: str
    numel: int
    data: mmap.mmap | None = None
    start: int = 0

    @property
    def itemsize(self) -> int:
        return np.dtype(_TYPES[self.type]).itemsize

    def numbers(self) -> Array:
        assert self.data is not None
        if not self.numel:
            return np.empty(0, _TYPES[self.type])
        return np.frombuffer(self.data, _TYPES[self.type], self.numel, self.start)


@dataclass(frozen=True)
class Tensor:
    """A dense tensor: a view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self) -> Array:
        """Its numbers; bfloat16 as float32. The array can't be written to."""
        numbers = self.storage.numbers()
        bytes_apart = [step * numbers.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, bytes_apart, writeable=False)
        if self.storage.type == "BFloat16Storage":
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view


@dataclass(frozen=True)
class SparseTensor:
    """A sparse tensor in coordinate form; a place may come more than once, and then stands for the sum."""

    indices: Tensor
    values: Tensor
    shape: tuple[int, ...]


def read_torch_file(path: Path, classes: tuple[str, ...] = ()) -> Any:
    """The saved object, with `Tensor` and `SparseTensor` for tensors, and `pickles.Instance` for objects of `classes`.

    classes: names without their module. Raises TorchFileError for what is damaged, and for whatever is neither a tensor
    nor plain data, without running it.
    """
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise TorchFileError("the file is empty") from None
    try:
        if data[:4] == ZIP_HEADER:
            return _read_zip(path, data, classes)
        if data[: len(LEGACY_HEADER)] == LEGACY_HEADER:
            return _read_legacy(data, classes)
    except PickleError as error:
        raise TorchFileError(str(error)) from None
    raise TorchFileError("it is no file of torch.save: it begins neither as a zip archive nor as torch's pickles do")


def _read_zip(path: Path, data: mmap.mmap, classes: tuple[str, ...]) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if len(entries) < len(archive.infolist()):
                raise TorchFileError("its archive has two entries of one name")
    except (zipfile.BadZipFile, UnicodeError, NotImplementedError, ValueError, OverflowError) as error:
        raise TorchFileError(f"its zip archive is damaged or cut off ({error})") from None
    pickles = [name for name in entries if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(pickles) != 1:
        raise TorchFileError("its archive holds no data.pkl: torch.save did not write it")
    folder = pickles[0].removesuffix("data.pkl")
    order = entries.get(f"{folder}byteorder")
    if order is not None and _bytes(data, order) != b"little":
        raise TorchFileError("its numbers are in big-endian order: save it on a little-endian machine")

    def place(storage: Storage) -> None:
        entry = entries.get(f"{folder}data/{storage.key}")
        if entry is None:
            raise PickleError(f"the storage {storage.key!r} is not in the archive")
        start, size = _place(data, entry)
        if storage.numel * storage.itemsize > size:
            raise PickleError(f"the storage {storage.key!r} has {size} bytes, too few for {storage.numel} numbers")
        storage.start = start

    return _unpickler(data, place, classes).load(io.BytesIO(_bytes(data, entries[pickles[0]])))


def _place(data: mmap.mmap, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Where in the file an entry's bytes begin, and how many they are. Entries of torch.save are not compressed."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise TorchFileError(f"the entry {entry.filename!r} is compressed, which torch.save never does: refused")
    header = data[entry.header_offset : entry.header_offset + 30]
    if len(header) < 30 or header[:4] != ZIP_HEADER:
        raise TorchFileError(f"the entry {entry.filename!r} is not where the archive says")
    start = entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    if start + entry.file_size > len(data):
        raise TorchFileError(f"the entry {entry.filename!r} is longer than the file")
    with memoryview(data) as whole, whole[start : start + entry.file_size] as content:
        if zlib.crc32(content) != entry.CRC:
            raise TorchFileError(f"the entry {entry.filename!r} is damaged: its checksum differs")
    return start, entry.file_size


def _bytes(data: mmap.mmap, entry: zipfile.ZipInfo) -> bytes:
    start, size = _place(data, entry)
    return _at_most(data[start : start + min(size, LARGEST + 1)])


def _at_most(pickle: bytes) -> bytes:
    if len(pickle) > LARGEST:
        raise TorchFileError(f"its pickle has more than {LARGEST >> 20} MiB: a circuit's tensors stand beside it")
    return pickle


def _read_legacy(data: mmap.mmap, classes: tuple[str, ...]) -> Any:
    """A pickle each of a magic number, a version, the machine, the object, and the keys of the storages that follow."""
    storages: dict[str, Storage] = {}

    def place(storage: Storage) -> None:
        first = storages.setdefault(storage.key, storage)
        if (first.type, first.numel) != (storage.type, storage.numel):
            raise PickleError(f"the storage {storage.key!r} has two sizes or types")

    unpickler = _unpickler(data, place, classes)
    stream = io.BytesIO(data[: LARGEST + 1])
    _, version, machine, found, keys = [unpickler.load(stream) for _ in range(5)]
    if version != 1001 or not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise TorchFileError("its version or byte order is one that is not read: save it anew")
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages):
        raise TorchFileError("its list of storages is not that of its tensors")
    at = stream.tell()
    for key in keys:
        storage = storages[key]
        numel = int.from_bytes(data[at : at + 8], "little", signed=True)
        if numel != storage.numel or at + 8 + numel * storage.itemsize > len(data):
            raise TorchFileError(f"it is cut off or damaged at byte {at}, at the storage {key!r}")
        storage.start = at + 8
        at += 8 + numel * storage.itemsize
    return found


def _unpickler(data: mmap.mmap, place: Any, classes: tuple[str, ...]) -> Unpickler:
    """place: finds where a storage's numbers are."""
    seen: dict[tuple[str, str, int], Storage] = {}

    def known(name: str) -> bool:
        return name in _FUNCTIONS or name in _STORAGES or name.rpartition(".")[2] in classes

    def persistent(given: Any) -> Storage:
        match given:
            case ("storage", Named(name), str(key), str(), int(numel), *view) if (
                name in _STORAGES and numel >= 0 and key.isalnum() and view in ([], [None])
            ):
                storage = Storage(name.removeprefix("torch."), key, numel, data)
            case _:
                raise PickleError("a persistent id that is no storage of this file: refused")
        if (storage.type, key, numel) not in seen:
            place(storage)
            seen[storage.type, key, numel] = storage
        return seen[storage.type, key, numel]

    return Unpickler(known, _call, persistent)


def _call(name: str, arguments: tuple[Any, ...]) -> Any:
    match name, arguments:
        case ("collections.OrderedDict", ()):
            return {}
        case ("torch.Size", (tuple(sizes),)):
            return _sizes(sizes)
        case ("torch.serialization._get_layout", (str(layout),)):
            return layout
        case (str(), (Storage() as storage, int(offset), tuple(shape), tuple(stride), *_)) if name == _TENSOR:
            return _tensor(storage, offset, _sizes(shape), _sizes(stride))
        case (str(), ("torch.sparse_coo", (Tensor() as indices, Tensor() as values, tuple(shape), *_))) if (
            name == _SPARSE
        ):
            return _sparse(indices, values, _sizes(shape))
    raise PickleError(f"{name} has arguments that are not read")


def _tensor(storage: Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    numel = math.prod(shape)
    last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) if numel else 0
    if offset < 0 or numel > storage.numel or last >= max(storage.numel, 1):
        raise PickleError(f"a tensor of shape {shape} doesn't fit in its storage of {storage.numel} numbers")
    return Tensor(storage, offset, shape, stride)


def _sparse(indices: Tensor, values: Tensor, shape: tuple[int, ...]) -> SparseTensor:
    if indices.storage.type != "LongStorage" or len(indices.shape) != 2 or len(values.shape) != 1:
        raise PickleError("a sparse tensor's indices are no table of integers, or its values no row of numbers")
    if indices.shape != (len(shape), values.shape[0]):
        raise PickleError(f"a sparse tensor of shape {shape} has indices of shape {indices.shape}")
    return SparseTensor(indices, values, shape)


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    if not all(type(size) is int and 0 <= size < 2**63 for size in sizes):
        raise PickleError(f"a shape or stride is {sizes}")
    return sizes
