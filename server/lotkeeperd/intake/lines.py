"""Bytes to lines, with flat memory whatever the file holds.

Problem: a file of years of fills was written by several programs: line ends are mixed, some lines are in another encoding, and
what is called CSV may be a disk image. Seen: a text file that is read by its lines takes a line of 1 GB into memory, and one
wrong byte ends the reading somewhere in a buffer, without the line's number. Chosen: lines are cut from the bytes, at LF, CR and
CRLF alike, and decoded one by one; one that is too long is passed over without being held, and a wrong byte is named with its
place. Therefore the encoding has to hold LF and CR as single bytes, which all but UTF-16 and UTF-32 do.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from lotkeeperd.intake.problems import BadMap, UnreadableFile

LINE_BYTES = 1 << 20
"""Bytes of the longest line that is read."""

CHUNK_BYTES = 1 << 18
"""Bytes read at once."""

_BOM = codecs.BOM_UTF8
_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """One line without its end; ``fault`` says why there is no text."""

    number: int
    text: str
    fault: str = ""


Progress = Callable[[int], None]
"""Told how many bytes of the file are read."""


def check_encoding(encoding: str) -> str:
    """``encoding`` if lines can be cut out of it. Raises BadMap."""
    try:
        single = "\r\n,".encode(encoding) == b"\r\n,"
    except LookupError as error:
        raise BadMap(
            f"encoding {encoding!r}: there is none of that name; utf-8, cp1252 and latin-1 are usual"
        ) from error
    if not single:
        raise BadMap(f"encoding {encoding!r}: its lines cannot be told apart; convert the file to UTF-8 with iconv")
    return encoding


def lines(file: BinaryIO, encoding: str, progress: Progress) -> Iterator[Line]:
    """The lines of ``file``, numbered from 1. Raises UnreadableFile for UTF-16."""
    for number, (offset, raw) in enumerate(_cut(file, progress), 1):
        if raw is None or len(raw) > LINE_BYTES:
            yield Line(
                number, "", f"is longer than {LINE_BYTES:,} bytes, the most that is read; is a line end missing?"
            )
        else:
            yield _decoded(number, offset, raw.rstrip(b"\r\n"), encoding)


def _decoded(number: int, offset: int, raw: bytes, encoding: str) -> Line:
    if number == 1 and raw.startswith(_BOM):
        offset, raw = len(_BOM), raw.removeprefix(_BOM)
    try:
        return Line(number, raw.decode(encoding))
    except UnicodeDecodeError as error:
        return Line(number, "", wrong_byte(offset + error.start, raw[error.start], encoding))


def wrong_byte(offset: int, byte: int, encoding: str) -> str:
    """What to say of a byte that is not of the encoding."""
    return f"byte {offset:,} of the file is 0x{byte:02X}, which is not {encoding}; name its encoding, for example --encoding cp1252"


def check_start(start: bytes) -> None:
    """Raises UnreadableFile when a file that begins so is UTF-16."""
    if start.startswith(_WIDE_BOMS):
        raise UnreadableFile("it is UTF-16; convert it: iconv -f UTF-16 -t UTF-8")


def _cut(file: BinaryIO, progress: Progress) -> Iterator[tuple[int, bytes | None]]:
    """Where each line begins, and its bytes with their end; None in place of one that was too long to be held."""
    held, long, begin, read = b"", False, 0, 0
    while chunk := file.read(CHUNK_BYTES):
        if not read:
            check_start(chunk)
        read += len(chunk)
        progress(read)
        buffer = held + chunk
        if long:
            buffer = buffer[_line_end(buffer) :]
        parts = buffer.splitlines(keepends=True)
        held = parts.pop() if parts and not parts[-1].endswith(b"\n") else b""  # a CR at the end may be half of a CRLF
        end = read - len(buffer)
        for part in parts:
            yield begin, None if long else part
            end += len(part)
            begin, long = end, False
        if long or len(held) > LINE_BYTES:
            long, held = True, held[-1:] if held.endswith(b"\r") else b""
    if held or long:
        yield begin, None if long else held


def _line_end(buffer: bytes) -> int:
    """Where the first line end begins; the buffer's own end when there is none."""
    found = [place for place in (buffer.find(b"\n"), buffer.find(b"\r")) if place >= 0]
    return min(found, default=len(buffer))
