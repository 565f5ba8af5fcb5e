"""Reads a pickle without running what it says to run.

A pickle is a program: it may name any function of any module and have it called. Here its operations are read one by
one, as data. The few that `torch.save` writes are known; what may be named, and what comes of it, the caller says;
everything else is refused where it stands. Nothing is ever imported or called by name.
"""

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LARGEST = 2**23
"""Bytes of a pickle: an empty dict takes one there, and 64 in memory."""

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MAKE: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_VALUES = set("BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE".split())
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class PickleError(Exception):
    """What is wrong, and at which byte."""


@dataclass(frozen=True)
class Named:
    """A class or function that a pickle names."""

    name: str


@dataclass
class Instance:
    """An object of a named class: what its attributes were."""

    of: Named
    attributes: dict[str, Any] = field(default_factory=dict)


class Unpickler:
    """Reads pickles that stand one after another.

    known: whether a name may stand in the pickle. call: what a named function gives for its arguments; raises
    PickleError. persistent: what stands for a persistent id.
    """

    def __init__(
        self,
        known: Callable[[str], bool],
        call: Callable[[str, tuple[Any, ...]], Any],
        persistent: Callable[[Any], Any],
    ) -> None:
        self._known = known
        self._call = call
        self._persistent = persistent

    def load(self, stream: io.BytesIO) -> Any:
        """The next object. Raises PickleError, with the byte at which it went wrong."""
        stack: list[Any] = []
        marks: list[int] = []
        memo: dict[int, Any] = {}
        position = stream.tell()
        try:
            for operation, argument, at in pickletools.genops(stream):
                position = position if at is None else at
                if operation.name == "STOP":
                    return stack.pop()
                self._step(operation.name, argument, stack, marks, memo)
        except PickleError as error:
            raise PickleError(f"at byte {position} of its pickle: {error}") from None
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, UnicodeError, AttributeError) as error:
            raise PickleError(f"its pickle is damaged at byte {position} ({error})") from None
        raise PickleError("its pickle has no end")

    def _step(self, name: str, argument: Any, stack: list[Any], marks: list[int], memo: dict[int, Any]) -> None:
        def since_mark() -> list[Any]:
            start = marks.pop()
            taken = stack[start:]
            del stack[start:]
            return taken

        if name in ("PROTO", "FRAME"):
            return
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _MAKE:
            stack.append(_MAKE[name]())
        elif name in _VALUES:
            stack.append(argument)
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(since_mark()))
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(_last(stack, _TUPLES[name]))]
        elif name == "APPEND":
            item = stack.pop()
            _as(list, stack[-1]).append(item)
        elif name == "APPENDS":
            items = since_mark()
            _as(list, stack[-1]).extend(items)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _set(stack[-1], [key, value])
        elif name == "SETITEMS":
            items = since_mark()
            _set(stack[-1], items)
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(self._named(argument.replace(" ", ".", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self._named(f"{module}.{attribute}"))
        elif name == "REDUCE":
            arguments, function = _as(tuple, stack.pop()), _as(Named, stack.pop())
            stack.append(self._call(function.name, arguments))
        elif name == "NEWOBJ":
            _as(tuple, stack.pop())
            stack.append(Instance(_as(Named, stack.pop())))
        elif name == "BUILD":
            state = _as(dict, stack.pop())
            _as(Instance, stack[-1]).attributes.update(state)
        elif name == "BINPERSID":
            stack.append(self._persistent(stack.pop()))
        else:
            raise PickleError(f"the operation {name} has no place in a file of tensors")

    def _named(self, name: str) -> Named:
        if not self._known(name):
            raise PickleError(f"it names {name!r}, which no circuit needs and which could run code: refused, not run")
        return Named(name)


def _last(stack: list[Any], n: int) -> list[Any]:
    if len(stack) < n:
        raise IndexError("its stack is empty")
    return stack[-n:]


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise PickleError(f"expected is {_a(kind)}, there is {_a(type(value))}")
    return value


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'IOaeiou' else 'a'} {kind.__name__}"


def _set(target: Any, items: list[Any]) -> None:
    values = _as(dict, target)
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str | int):
            raise PickleError(f"a key is a {type(key).__name__}; texts and integers are read")
        values[key] = value
