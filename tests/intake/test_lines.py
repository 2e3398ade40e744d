"""Lines are cut out of any bytes, and what cannot be read is named by its place."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.intake.lines import CHUNK_BYTES, LINE_BYTES, Line, check_encoding, lines
from lotkeeperd.intake.problems import BadMap, UnreadableFile


class Trickle(io.BytesIO):
    """A file that hands over few bytes at a time."""

    def __init__(self, content: bytes, at_once: int) -> None:
        super().__init__(content)
        self._at_once = at_once

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``at_once`` bytes."""
        return super().read(min(self._at_once, CHUNK_BYTES if size is None else size))


def read(content: bytes, encoding: str = "utf-8", at_once: int = CHUNK_BYTES) -> list[Line]:
    """All lines of a file with that content."""
    return list(lines(Trickle(content, at_once), encoding, lambda _: None))


@given(content=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n"])).map(b"".join), at_once=st.integers(1, 5))
def test_lines_end_with_lf_cr_or_crlf_wherever_a_read_ends(content: bytes, at_once: int) -> None:
    """The same lines as when all is cut at once, numbered from 1."""
    expected = [line.decode() for line in content.splitlines()]

    found = read(content, at_once=at_once)

    assert [line.text for line in found] == expected
    assert [line.number for line in found] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("at_once", [CHUNK_BYTES, 65_537, 196_609, 116_509])  # these two end just behind a CR
def test_a_line_that_is_too_long_costs_itself_alone(end: bytes, at_once: int) -> None:
    """It is one faulty line, and the numbers of those behind it are right."""
    long = b"x" * (3 * LINE_BYTES + 7)

    found = read(end.join([b"before", long, b"after", b"last"]), at_once=at_once)

    assert [(line.number, line.text) for line in found] == [(1, "before"), (2, ""), (3, "after"), (4, "last")]
    assert "longer than 1,048,576 bytes" in found[1].fault


def test_a_last_line_that_never_ends_is_faulty() -> None:
    """A disk image without a line end is one line."""
    assert [line.number for line in read(bytes(5 * LINE_BYTES)) if line.fault] == [1]


def test_the_longest_line_that_is_allowed_is_read() -> None:
    """The limit is what it says."""
    text = "y" * (LINE_BYTES - 1)

    assert read(text.encode() + b"\n" + b"z") == [Line(1, text), Line(2, "z")]


@pytest.mark.parametrize("at_once", [3, CHUNK_BYTES])
def test_a_wrong_byte_is_named_with_its_offset_and_costs_its_line_alone(at_once: int) -> None:
    """The offset counts from the file's first byte, past a byte order mark and lines of either end."""
    content = b"\xef\xbb\xbfa,b\r\n1,caf\xc3\xa9\n2,caf\xe9\n3,x\n"

    found = read(content, at_once=at_once)

    assert [line.text for line in found] == ["a,b", "1,café", "", "3,x"]
    assert f"byte {content.index(0xE9, 15):,} of the file is 0xE9, which is not utf-8" in found[2].fault
    assert "--encoding cp1252" in found[2].fault


def test_another_encoding_is_read_when_it_is_named() -> None:
    """The same byte, in its own encoding."""
    assert read(b"caf\xe9", "cp1252") == [Line(1, "café")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_the_way_out(encoding: str) -> None:
    """Its line ends are no single bytes."""
    with pytest.raises(UnreadableFile, match="iconv"):
        read("\ufeffa,b\n".encode(encoding))


@pytest.mark.parametrize(("encoding", "why"), [("utf-16", "cannot be told apart"), ("klingon", "none of that name")])
def test_an_encoding_that_cannot_be_used_is_refused_by_name(encoding: str, why: str) -> None:
    """Before the file is opened."""
    with pytest.raises(BadMap, match=why):
        check_encoding(encoding)


def test_the_bytes_read_are_reported_as_they_are_read() -> None:
    """Up to the size of the file."""
    told: list[int] = []

    list(lines(Trickle(b"ab\ncd\n", 4), "utf-8", told.append))

    assert told == [4, 6]
