"""JSON lines, and JSON documents: an array of objects, an object of objects, or objects further down.

Numbers stay the text that the file has: ``json`` is told to make no float and no int. An array is read element by element,
so that one of 1 GB takes no memory; a document that is one object is read whole, and so has a limit. Where rows lie further
down, as the legs of orders do, a row sees what it lies in as ``outer.NAME``, and fields of objects in it as ``NAME.FIELD``.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, NoReturn, cast

from lotkeeperd.intake.lines import CHUNK_BYTES, LINE_BYTES, Progress, check_start, lines, wrong_byte
from lotkeeperd.intake.problems import UnreadableFile
from lotkeeperd.intake.rows import Broken, Row

ELEMENT_CHARACTERS = LINE_BYTES
"""Of the longest element of an array that is read."""

DOCUMENT_CHARACTERS = 16 << 20
"""Of the longest document that is one object: a bot's state is small, and this is held in memory."""

KEY = "key"
"""The column that holds the name of a row in an object of objects."""

OUTER = "outer"
"""Before the names of what a row lies in."""


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


_blanks = cast("Callable[[str, int], re.Match[str]]", re.compile(r"\s*").match)
_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number)


class LinesFile:
    """JSON lines: one object a line. Satisfies ``rows.Source``."""

    description = "JSON lines"
    names = None

    def __init__(self, file: BinaryIO, encoding: str, path: str = "", progress: Progress = lambda _: None) -> None:
        """Nothing is read yet."""
        self._lines = lines(file, encoding, progress)
        self._path = _steps(path)

    def rows(self) -> Iterator[Row | Broken]:
        """The objects in their order; blank lines are passed over."""
        for line in self._lines:
            place = f"line {line.number}"
            if line.fault:
                yield Broken(place, line.fault)
            elif line.text.strip():
                yield from self._of(place, line.text)

    def _of(self, place: str, text: str) -> Iterator[Row | Broken]:
        try:
            value = _decoder.decode(text)
        except (ValueError, RecursionError) as error:
            yield Broken(place, f"is not JSON: {error}")
        else:
            yield from _element(value, self._path, place)


class DocumentFile:
    """A JSON document. Satisfies ``rows.Source``."""

    names = None

    def __init__(self, file: BinaryIO, encoding: str, path: str = "", progress: Progress = lambda _: None) -> None:
        """Reads as far as the first character. Raises UnreadableFile when no document begins with it."""
        self._text = _Text(file, encoding, progress)
        self._path = _steps(path)
        first = self._text.peek()
        if first not in ("[", "{"):
            raise UnreadableFile(f"it begins with {first!r}; a JSON document is an array or an object here")
        self._array = first == "["
        self.description = "JSON, an array" if self._array else "JSON, an object"

    def rows(self) -> Iterator[Row | Broken]:
        """The objects in their order. After what is not JSON nothing can be read any more."""
        return self._elements() if self._array else self._document()

    def _document(self) -> Iterator[Row | Broken]:
        try:
            value = self._text.value(DOCUMENT_CHARACTERS)
        except (ValueError, RecursionError) as error:
            raise UnreadableFile(f"line {self._text.line}: not JSON: {error}") from error
        if self._text.peek():
            raise UnreadableFile(
                f"line {self._text.line}: more follows after the end of the object; are these JSON lines?"
            )
        yield from _rows(value, self._path, "", {})

    def _elements(self) -> Iterator[Row | Broken]:
        self._text.take()
        separator = ","
        while self._text.peek() not in ("]", "") and separator == ",":
            place = f"line {self._text.line}"
            try:
                value = self._text.value(ELEMENT_CHARACTERS)
            except (ValueError, RecursionError) as error:
                yield Broken(place, f"is not JSON: {error}; nothing after it can be read")
                return
            yield from _element(value, self._path, place)
            separator = self._text.peek()
            if separator == ",":
                self._text.take()
        if self._text.peek() != "]":
            yield Broken(
                f"line {self._text.line}", "the array has no end here; was the file torn? nothing after it can be read"
            )


class _Text:
    """The characters of a file, as many at once as one value needs."""

    def __init__(self, file: BinaryIO, encoding: str, progress: Progress) -> None:
        self._file = file
        self._encoding = encoding
        self._decode = codecs.getincrementaldecoder(encoding)("strict").decode
        self._progress = progress
        self._read = 0
        self._buffer = ""
        self._place = 0
        self._first = True
        self._ended = False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            self._move(_blanks(self._buffer, self._place).end())
            if self._place < len(self._buffer) or not self._more():
                return self._buffer[self._place : self._place + 1]

    def take(self) -> None:
        """Pass over the next character."""
        self._move(self._place + 1)

    def value(self, limit: int) -> Any:
        """The next value, of at most ``limit`` characters. Raises ValueError or RecursionError when there is none."""
        too_long = f"no value ends within {limit:,} characters; write JSON lines"
        while True:
            held = len(self._buffer) - self._place
            try:
                value, end = _decoder.raw_decode(self._buffer, self._place)
            except ValueError:
                if held > limit:
                    raise ValueError(too_long) from None
                if not self._twice(held):
                    raise
                continue
            if end - self._place > limit:
                raise ValueError(too_long)
            self._move(end)
            return value

    def _twice(self, held: int) -> bool:
        """Read as much again as is held, so that a long value is parsed a few times only; false at the end."""
        more = [self._more() for _ in range(1 + held // CHUNK_BYTES)]
        return any(more)

    def _move(self, place: int) -> None:
        self.line += self._buffer.count("\n", self._place, place)
        self._place = place

    def _more(self) -> bool:
        """Read on; false at the end."""
        if self._ended:
            return False
        chunk = self._file.read(CHUNK_BYTES)
        if not self._read:
            check_start(chunk)
        self._read += len(chunk)
        self._ended = not chunk
        try:
            text = self._decode(chunk, self._ended)
        except UnicodeDecodeError as error:
            begin = self._read - len(error.object)  # with what was left of the chunk before
            line = self.line + self._buffer.count("\n", self._place) + error.object.count(b"\n", 0, error.start)
            wrong = wrong_byte(begin + error.start, error.object[error.start], self._encoding)
            raise UnreadableFile(f"line {line}: {wrong}") from error
        self._progress(self._read)
        if self._first:
            text, self._first = text.removeprefix("\ufeff"), False
        self._buffer, self._place = self._buffer[self._place :] + text, 0
        return not self._ended or bool(text)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _element(value: object, path: tuple[str, ...], place: str) -> Iterator[Row | Broken]:
    """The rows of an element of an array or of a line: itself, unless they lie further down."""
    if not isinstance(value, dict):
        yield Broken(place, f"holds {_kind(value)}, an object is required")
    elif path:
        yield from _rows(value, path, place, {})
    else:
        yield Row(place, _cells(value, {}))


def _rows(value: object, path: tuple[str, ...], place: str, outer: Mapping[str, object]) -> Iterator[Row | Broken]:
    """The rows below ``value``: along ``path``, through every list and every object of objects."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _member(item, path, f"{place}[{number}]", outer)
    elif not isinstance(value, dict):
        yield Broken(place, f"holds {_kind(value)}, objects are required")
    elif path and path[0] in value:
        below = {f"{OUTER}.{name}": cell for name, cell in _cells(value, outer).items()}
        yield from _rows(value[path[0]], path[1:], f"{place}.{path[0]}".lstrip("."), below)
    elif value and all(isinstance(item, dict) for item in value.values()):
        for name, item in value.items():
            yield from _member({KEY: name} | item, path, f"{place}.{name}".lstrip("."), outer)
    else:
        yield from _member(value, path, place or "the object", outer)


def _member(value: object, path: tuple[str, ...], place: str, outer: Mapping[str, object]) -> Iterator[Row | Broken]:
    if not isinstance(value, dict):
        yield Broken(place, f"holds {_kind(value)}, an object is required")
    elif not path:
        yield Row(place, _cells(value, outer))
    elif path[0] in value:
        yield from _rows(value, path, place, outer)
    else:
        yield Broken(place, f"has no {path[0]!r}, where the rows should lie")


def _cells(value: Mapping[str, object], outer: Mapping[str, object]) -> dict[str, object]:
    cells: dict[str, object] = dict(outer)
    for name, cell in value.items():
        cells[name] = cell
        if isinstance(cell, dict):
            cells |= {f"{name}.{inner}": each for inner, each in _cells(cell, {}).items()}
    return cells


def _kind(value: object) -> str:
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return "a text or a number" if isinstance(value, str) else "nothing of use"
