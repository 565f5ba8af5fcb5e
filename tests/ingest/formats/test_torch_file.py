"""Files of torch.save that would run code, reach elsewhere or fill the memory: refused by name, and nothing is run."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.torch_file import SparseTensor, Tensor, TorchFileError, read_torch_file
from tests.ingest.formats.feature_circuit_files import SparseAct, circuit, save

CANARY = f"{gettempdir()}/circuitstore-canary-{os.getpid()}"


@pytest.fixture(autouse=True)
def _nothing_is_run() -> Iterator[None]:
    """The hostile files here would make this folder."""
    yield
    assert not os.path.exists(CANARY)


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


MKDIR = (os.mkdir, CANARY)
EVAL = (eval, f"__import__('os').mkdir({CANARY!r})")


def read(path: Path) -> Any:
    return read_torch_file(path, ("SparseAct",))


def archive(path: Path, pickled: bytes, *, compression: int = zipfile.ZIP_STORED, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("c/data.pkl", pickled)
        file.writestr("c/byteorder", b"little")
        for name, content in more.items():
            file.writestr(f"c/data/{name.removeprefix('s')}", content)
    return path


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("call", [MKDIR, EVAL, (os.system, f"mkdir {CANARY}"), (torch.load, "x"), (np.load, "x"),
                                  (open, "/etc/passwd"), (__import__, "os"), (getattr, 1, "real"),
                                  (pickle.loads, b"N.")])  # fmt: skip
@pytest.mark.parametrize(
    "around",
    [
        lambda call: call,
        lambda call: {"nodes": {"resid_0": call}},
        lambda call: [[[(call,)]]],
        lambda call: SparseAct(act=call),
        lambda call: {"examples": [{"clean_prefix": call}], "nodes": circuit()["nodes"]},
        lambda call: OrderedDict([("a", call)]),
    ],
)
def test_what_a_file_names_is_not_called(tmp_path: Path, around: Any, call: Any, legacy: bool) -> None:
    path = save(tmp_path / "c.pt", around(Calls(*call)), legacy=legacy)
    with pytest.raises(TorchFileError, match=r"at byte \d+ of its pickle: it names '.*', which no circuit needs"):
        read(path)


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "it names 'builtins.eval'"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "it names 'builtins.eval'"),
        (b"(S'1'\nibuiltins\neval\n.", "the operation STRING|the operation INST"),
        (b"(cos\nsystem\nS'1'\no.", "it names 'os.system'"),
        (b"\x82\x01.", "the operation EXT1"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.", "expected is an Instance, there is a Named"),
        (b"\x80\x02ccollections\nOrderedDict\n)\x81}X\1\0\0\0akb.", "the operation|damaged|expected"),
        (b"\x80\x02cos\nSparseAct\n)R.", "os.SparseAct has arguments that are not read"),
        (b"\x80\x02ctorch\nFloatStorage\nK\x05\x85R.", "torch.FloatStorage has arguments"),
        (b"\x80\x02}]K\x01s.", "a key is a list"),
        (b"\x80\x02r\xff\xff\xff\xff.", "damaged at byte 2"),
        (b"\x80\x02h\x05.", "damaged at byte 2"),
        (b"\x80\x02", "damaged|has no end"),
        (b"\x80\x02X\xff\xff\xff\x7fa.", "damaged at byte"),
        (b"", "damaged|has no end"),
        (b"\x80\x02X\7\0\0\0storageQ.", "a persistent id that is no storage of this file"),
        (b"\x80\x02(X\6\0\0\0modulectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\4tQ.", "a persistent id"),
        (b"P/etc/passwd\n.", "the operation PERSID"),
    ],
)
def test_operations_that_tensors_do_not_need_are_refused(tmp_path: Path, pickled: bytes, message: str) -> None:
    with pytest.raises(TorchFileError, match=message):
        read(archive(tmp_path / "c.pt", pickled))


def tensor_of(key: str = "0", numel: int = 4, shape: Any = (4,), stride: Any = (1,), offset: int = 0) -> bytes:
    """The pickle of a tensor of floats, as torch writes it."""

    class Storage:
        pass

    class Pickler(pickle._Pickler):
        def persistent_id(self, given: Any) -> Any:
            return ("storage", torch.FloatStorage, key, "cpu", numel) if isinstance(given, Storage) else None

    out = io.BytesIO()
    arguments: Any = (Storage(), offset, shape, stride, False, OrderedDict())
    Pickler(out, 2).dump(Calls(torch._utils._rebuild_tensor_v2, *arguments))
    return out.getvalue()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"key": "../../../etc/passwd"}, "a persistent id that is no storage of this file"),
        ({"key": "/etc/passwd"}, "a persistent id that is no storage of this file"),
        ({"key": "7"}, "the storage '7' is not in the archive"),
        ({"numel": 5}, "has 16 bytes, too few for 5 numbers"),
        ({"numel": 2**62}, "too few for"),
        ({"numel": -1}, "a persistent id that is no storage"),
        ({"shape": (5,)}, "doesn't fit in its storage of 4 numbers"),
        ({"shape": (2**40,), "stride": (0,)}, "doesn't fit in its storage"),
        ({"shape": (2**40, 2**40), "stride": (0, 0)}, "doesn't fit in its storage"),
        ({"shape": (4,), "stride": (-1,)}, "a shape or stride"),
        ({"shape": (2,), "stride": (2**40,)}, "doesn't fit in its storage"),
        ({"shape": (2**70,)}, "a shape or stride"),
        ({"offset": 1}, "doesn't fit in its storage"),
        ({"offset": -1}, "doesn't fit in its storage"),
        ({"shape": (4, 1), "stride": (1,)}, "damaged"),
        ({"shape": ("4",)}, "a shape or stride"),
    ],
)
def test_a_tensor_reaches_its_own_numbers_only(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    numbers = np.arange(4, dtype="<f4").tobytes()
    assert read(archive(tmp_path / "good.pt", tensor_of(), s0=numbers)).array().tolist() == [0, 1, 2, 3]
    with pytest.raises(TorchFileError, match=message):
        read(archive(tmp_path / "c.pt", tensor_of(**given), s0=numbers))


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "c.pt", tensor_of(numel=2**28, shape=(2**28,)), compression=zipfile.ZIP_DEFLATED,
                   s0=bytes(2**28))  # fmt: skip
    assert bomb.stat().st_size < 2**21
    with pytest.raises(TorchFileError, match=r"is compressed, which torch\.save never does"):
        read(bomb)
    with pytest.raises(TorchFileError, match="its pickle has more than"):
        read(archive(tmp_path / "d.pt", b"\x80\x02" + b"}" * 2**23 + b"."))


def test_an_archive_that_says_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.pt", tensor_of(), s0=bytes(16))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of the storage
    content[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(content)
    with pytest.raises(TorchFileError, match=r"longer than the file|damaged"):
        read(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("c/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("c/data.pkl", b"N.")
    with pytest.raises(TorchFileError, match="two entries of one name"):
        read(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", b"")
    with pytest.raises(TorchFileError, match=r"holds no data\.pkl"):
        read(path)
    archive(path, tensor_of(), s0=bytes(16))
    path.write_bytes(path.read_bytes().replace(b"c/byteorderlittle", b"c/byteorderbigend"))
    with pytest.raises(TorchFileError, match="checksum differs"):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"{}", "it is no file of torch.save"), (b"\x80\x02K\x01.", "it is no file"),
     (b"PK\x03\x04", "its zip archive is damaged or cut off"), ("{}".encode("utf-16"), "it is no file")],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "c.pt").write_bytes(content)
    with pytest.raises(TorchFileError, match=message):
        read(tmp_path / "c.pt")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, legacy: bool) -> None:
    whole = save(tmp_path / "c.pt", circuit(), legacy=legacy).read_bytes()
    for length in [*range(0, len(whole), 211), len(whole) - 1]:
        (tmp_path / "d.pt").write_bytes(whole[:length])
        with pytest.raises(TorchFileError):
            read(tmp_path / "d.pt")


@settings(max_examples=300)
@given(data=st.data(), legacy=st.booleans())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, legacy: bool
) -> None:
    folder = tmp_path_factory.mktemp("pt")
    whole = bytearray(save(folder / "c.pt", circuit(n=1, f=2, n_layers=1), legacy=legacy).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (folder / "d.pt").write_bytes(whole)
    try:
        _touch(read(folder / "d.pt"))
    except TorchFileError:
        return


def _touch(value: Any) -> None:
    """Read every number."""
    if isinstance(value, dict):
        for inner in value.values():
            _touch(inner)
    elif isinstance(value, Tensor):
        value.array().sum()
    elif isinstance(value, SparseTensor):
        _touch(value.indices)
        _touch(value.values)
    elif hasattr(value, "attributes"):
        _touch(value.attributes)


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_have_the_numbers_that_torch_reads(tmp_path: Path, legacy: bool) -> None:
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
             torch.int8, torch.uint8, torch.bool]  # fmt: skip
    given = {str(kind): (torch.arange(12).reshape(3, 4) % 2).to(kind) for kind in kinds}
    base = torch.arange(24.0).reshape(2, 3, 4)
    given |= {"transposed": base.permute(2, 0, 1), "part": base[1, 1:, ::2], "scalar": base[0, 0, 0], "none": base[:0]}
    found = read(save(tmp_path / "c.pt", given, legacy=legacy))
    for name, tensor_ in given.items():
        assert found[name].array().tolist() == tensor_.tolist(), name


def test_the_hostile_calls_would_run_if_they_were_let(tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    for call in (MKDIR, EVAL):
        torch.load(save(tmp_path / "c.pt", Calls(*call)), weights_only=False)
        os.rmdir(CANARY)
