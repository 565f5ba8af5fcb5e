"""A large JSON document, read a piece at a time: the members of its outermost object, and the elements of long arrays.

Strict: RFC 8259, UTF-8, no NaN, no key twice, nothing after the end. What is wrong is refused with the byte where it
stands. Elements are decoded in batches; where a batch ends is found by decoding: text that decodes as whole elements
ends where an element ends. Only what doesn't is looked at bracket by bracket.
"""

import json
import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, NoReturn, TypeVar

import msgspec

from ingest.formats.format import Source

T = TypeVar("T")
Decode = Callable[[bytes], list[T]]
"""Makes elements of a JSON array's text. Raises DECODE_ERRORS."""

DECODE_ERRORS = (ValueError, RecursionError)
"""What decoders raise: msgspec's errors, json's and UnicodeDecodeError are ValueErrors."""

MAX_DEPTH = 64
MAX_VALUE = 1 << 28
"""Bytes of one value that is read whole."""
_PIECE = 1 << 20
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SEPARATOR = re.compile(rb"[, \t\r\n]*+")
_SCALAR_END = re.compile(rb"[,\]} \t\r\n]")
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_KEY = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class JsonStream:
    """`for key in stream.members()`: and each member's value is read by `value`, `elements` or not at all."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream = source.open()
        self._text = b""
        self._at = 0
        self._start = 0
        """Of `_text` in the file."""
        self._ended = False
        self._read = True
        """Whether the last member's value was read."""

    def close(self) -> None:
        self._stream.close()

    def members(self) -> Iterator[str]:
        """The keys of the outermost object."""
        self._check_encoding()
        self._expect(b"{", "the file is no JSON object")
        seen: set[str] = set()
        while self._next() != b"}":
            if seen:
                self._expect(b",", "a comma or } is missing")
            yield self._key(seen)
            if not self._read:
                self.value("a member")
        self._at += 1
        if self._next():
            self.refuse("something follows the JSON document; remove it")

    def value(self, what: str) -> Any:
        """The member's value. what: its name, for messages."""
        self._read = True
        if not self._next():
            self.refuse("the file ends here: it is truncated")
        end = self._value_end()
        start, text = self._start + self._at, self._text[self._at : end]
        self._at = end
        try:
            return strict(text)
        except DECODE_ERRORS as error:
            self.refuse(f"in {what}: {_words(error)}", start + _byte(error))

    def elements(self, what: str, decode: Decode[T]) -> Iterator[list[T]]:
        """The elements of the member's array, in batches. what: its name, for messages."""
        self._read = True
        self._expect(b"[", f"{what} is no array")
        number = 0
        if self._next() == b"]":
            self._at += 1
            return
        while True:
            self._fill(_PIECE)
            batch, closed = self._batch(what, number, decode)
            number += len(batch)
            yield batch
            if closed:
                return
            self._expect(b",", f"a comma or ] is missing after {what}[{number - 1}]")
            if self._next() in (b"]", b""):
                self.refuse(f"{what}[{number}] is missing after a comma")

    def _batch(self, what: str, number: int, decode: Decode[T]) -> tuple[list[T], bool]:
        """Some elements, and whether they were the last. The stream stands behind them."""
        for mark, closing in ((b"]", b""), (b"}", b"]")):
            cut = self._text.find(mark, self._at) if not closing else self._text.rfind(mark, self._at)
            if cut >= 0:
                try:
                    batch = decode(b"[" + self._text[self._at : cut + 1] + closing)
                except DECODE_ERRORS:
                    continue  # this mark stands elsewhere; or the text is wrong, which is told below
                self._at = cut + 1
                return batch, not closing
        cut, closed = self._last_element_end(what, number)
        try:
            batch = decode(b"[" + self._text[self._at : cut] + b"]")
        except DECODE_ERRORS:
            self._refuse_one(what, number, cut, decode)
        self._at = cut + closed
        return batch, closed

    def _refuse_one(self, what: str, number: int, cut: int, decode: Decode[T]) -> NoReturn:
        """Say which of the elements up to `cut` is the first that can't be decoded, and why."""
        depth, begin = 0, self._at
        for match in _STRUCTURE.finditer(self._text, self._at, cut):
            depth += (match[0] in b"[{") - (match[0] in b"]}")
            if depth == 0:
                try:
                    decode(b"[" + self._text[begin : match.end()].lstrip(b", \t\r\n") + b"]")
                except DECODE_ERRORS as error:
                    field = re.search(r"`\$\[0\]([^`]*)`", str(error))
                    begin = _past(_SEPARATOR, self._text, begin)
                    place = self._start + begin + max(_byte(error) - 1, 0)
                    self.refuse(f"{what}[{number}]{field[1] if field else ''}: {_words(error)}", place)
                number, begin = number + 1, match.end()
        self.refuse(f"before {what}[{number}]: the array is malformed, such as by a comma missing or too many")

    def _last_element_end(self, what: str, number: int) -> tuple[int, bool]:
        """Where the last whole element in the buffer ends, and whether the array does. Reads until there is one."""
        while True:
            depth, cut = 0, self._at
            for match in _STRUCTURE.finditer(self._text, self._at):
                mark = match[0]
                if mark in b"[{":
                    depth = self._deeper(depth, match.start())
                elif mark in b"]}":
                    depth -= 1
                    if depth < 0:
                        return match.start(), True
                elif mark == b'"':  # its end is not read yet
                    break
                if depth == 0:
                    cut = match.end()
            if cut > self._at:
                return cut, False
            self._grow(f"{what}[{number}]")

    def _value_end(self) -> int:
        """Where the value that begins here ends, in the buffer."""
        first = self._text[self._at : self._at + 1]
        while True:
            if first not in b'[{"' or not first:
                match = _SCALAR_END.search(self._text, self._at)
                if match or self._ended:
                    return match.start() if match else len(self._text)
            else:
                depth = 0
                for match in _STRUCTURE.finditer(self._text, self._at):
                    if match[0] in b"[{":
                        depth = self._deeper(depth, match.start())
                    elif match[0] in b"]}":
                        depth -= 1
                    elif match[0] == b'"':
                        break
                    if depth == 0:
                        return match.end()
            self._grow("a value")

    def _deeper(self, depth: int, at: int) -> int:
        if depth == MAX_DEPTH:
            self.refuse(f"the JSON is nested more than {MAX_DEPTH} deep", self._start + at)
        return depth + 1

    def _key(self, seen: set[str]) -> str:
        if self._next() != b'"':
            self.refuse("a key in quotes is missing")
        self._fill(1 << 12)
        match = _KEY.match(self._text, self._at)
        if not match:
            self.refuse("the file ends within a key: it is truncated" if self._ended else "the key has no end")
        try:
            key = str(strict(match[0]))
        except DECODE_ERRORS as error:
            self.refuse(_words(error))
        if key in seen:
            self.refuse(f"the key {key!r} stands there twice; remove one")
        seen.add(key)
        self._at = match.end()
        self._expect(b":", f"the colon after {key!r} is missing")
        self._read = False
        return key

    def _expect(self, mark: bytes, otherwise: str) -> None:
        found = self._next()
        if found != mark:
            self.refuse(otherwise if found else "the file ends here: it is truncated")
        self._at += 1

    def _next(self) -> bytes:
        """The next byte that is no space; b'' at the end of the file."""
        while True:
            self._at = _past(_SPACE, self._text, self._at)
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill(1)

    def _grow(self, within: str) -> None:
        """Read on, since something has no end in what was read."""
        if self._ended:
            self.refuse(f"the file ends within {within}: it is truncated", self._start + len(self._text))
        if len(self._text) - self._at > MAX_VALUE:
            self.refuse(f"{within} is longer than {MAX_VALUE:,} bytes")
        self._fill(2 * (len(self._text) - self._at) + _PIECE)

    def _fill(self, least: int) -> None:
        """Have at least so many bytes ahead, unless the file ends before."""
        ahead = len(self._text) - self._at
        if ahead >= least or self._ended:
            return
        pieces = [self._text[self._at :]]
        self._start, self._at = self._start + self._at, 0
        while ahead < least:
            piece = self._stream.read(max(_PIECE, least - ahead))
            if not piece:
                self._ended = True
                break
            pieces.append(piece)
            ahead += len(piece)
        self._text = b"".join(pieces)

    def _check_encoding(self) -> None:
        self._fill(4)
        head = self._text[:4]
        if head.startswith(b"\xef\xbb\xbf"):
            self._at = 3
        elif head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head:
            self.refuse("the text is not UTF-8 (it looks like UTF-16 or UTF-32); convert it")

    def refuse(self, what: str, at: int | None = None) -> NoReturn:
        place = self._start + self._at if at is None else at
        raise self._source.refuse(f"byte {place:,}: {what}")


def _past(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where something ends that may be there or not."""
    match = pattern.match(text, at)
    assert match, "the pattern fits no text at all, too"
    return match.end()


def strict(text: bytes) -> Any:
    """A JSON value. Raises DECODE_ERRORS, for a key that stands twice and NaN as well."""
    return json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the text is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    if isinstance(error, msgspec.MsgspecError):
        return str(error).split(" - at `$")[0].partition(" (byte ")[0]
    return str(error) if isinstance(error, ValueError) else "nested too deep"


def _byte(error: Exception) -> int:
    """Where in the text that was decoded."""
    if isinstance(error, UnicodeDecodeError):
        return error.start
    if isinstance(error, json.JSONDecodeError):
        return len(error.doc[: error.pos].encode())
    found = re.search(r"\(byte (\d+)\)", str(error))
    return int(found[1]) if found else 0
