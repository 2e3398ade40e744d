"""Bytes of a terminal change what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.console.choice import Choice, Sort
from lotkeeperd.console.keys import LONGEST_FILTER, Decoder, Special, pressed


def after(keys: str, choice: Choice = Choice()) -> Choice:  # noqa: B008 - a Choice is frozen
    """The choice after typing ``keys``."""
    for key in Decoder().keys(keys.encode()):
        choice = pressed(choice, key)
    return choice


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        (b"q", ["q"]),
        (b"ls?", ["l", "s", "?"]),
        (b"\x1b[A\x1b[B", [Special.UP, Special.DOWN]),
        (b"\x1bOA\x1b[5~\x1b[6~", [Special.UP, Special.PAGE_UP, Special.PAGE_DOWN]),
        (b"\x1b[H\x1b[4~", [Special.HOME, Special.END]),
        (b"\r\x7f\x15", [Special.ENTER, Special.BACKSPACE, Special.CLEAR]),
        (b"\x1b", [Special.ESCAPE]),
        (b"\x1b[1;5C\x01\x00", []),
        ("ä".encode(), ["ä"]),
    ],
)
def test_bytes_are_keys(read: bytes, keys: list[object]) -> None:
    """Sequences are one key; those that mean nothing here are none."""
    assert Decoder().keys(read) == keys


@pytest.mark.parametrize("whole", [b"\x1b[5~", b"\x1bOA", "日".encode(), b"\x1b[1;5A"])
def test_a_key_may_come_in_two_reads(whole: bytes) -> None:
    """Wherever it is cut after its opening, nothing is made of the parts."""
    for place in range(2 if whole[:1] == b"\x1b" else 1, len(whole)):
        decoder = Decoder()
        assert decoder.keys(whole[:place]) + decoder.keys(whole[place:]) == Decoder().keys(whole)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_confuse_the_keyboard(reads: list[bytes]) -> None:
    """Whatever comes, a later key is still heard."""
    decoder = Decoder()
    for read in reads:
        decoder.keys(read)
    decoder.keys(b"zzzz")  # ends what was opened

    assert decoder.keys(b"q") == ["q"]


def test_a_sequence_that_never_ends_is_dropped() -> None:
    """It neither grows nor swallows the keys after it."""
    decoder = Decoder()
    decoder.keys(b"\x1b[" + b"1" * 100)

    assert decoder.keys(b"q") == ["q"]


def test_single_keys_switch_what_they_say() -> None:
    """l, ?, q; and again."""
    assert after("l").lots
    assert not after("ll").lots
    assert after("?").help
    assert not after("??").help
    assert not after("?\x1b").help
    assert after("q").quitting
    assert after("xyz") == Choice()


def test_s_goes_through_every_order() -> None:
    """And begins again; from the top of the table."""
    sorts = [after("s" * times).sort for times in range(5)]

    assert sorts == [Sort.SYMBOL, Sort.PNL, Sort.AGE, Sort.VALUE, Sort.SYMBOL]
    assert after("s", Choice(offset=7)).offset == 0


def test_a_filter_counts_while_it_is_typed() -> None:
    """Letters are letters then, also q and s."""
    choice = after("/Qs BTC")

    assert (choice.draft, choice.words, choice.quitting) == ("Qs BTC", ("qs", "btc"), False)
    assert after("/btc\x7f\x7f").words == ("b",)
    assert after("/btc\x15eth").words == ("eth",)


def test_enter_keeps_a_filter_and_escape_does_not() -> None:
    """What was filtered by before comes back."""
    assert after("/btc\r")._replace(page=1) == Choice(filter="btc")
    assert after("/btc\x1b") == Choice()
    assert after("/x\x1b", Choice(filter="eth")).words == ("eth",)
    assert after("/x\r", Choice(filter="eth")).words == ("ethx",)
    assert after("\x1b", Choice(filter="eth")).words == ()


def test_a_filter_is_bounded() -> None:
    """No name is longer."""
    assert len(after("/" + "a" * 1000).words[0]) == LONGEST_FILTER


def test_arrows_and_pages_scroll() -> None:
    """Never above the top; below the end the frame decides."""
    choice = Choice(offset=10, page=20)

    assert after("\x1b[A", choice).offset == 9
    assert after("\x1b[B", choice).offset == 11
    assert after("\x1b[6~", choice).offset == 30
    assert after("\x1b[5~", choice).offset == 0
    assert after("\x1b[H", choice).offset == 0
    assert after("\x1b[F", choice).offset > 1_000_000
    assert after("\x1b[A", Choice()).offset == 0
