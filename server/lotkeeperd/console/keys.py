"""Keys: bytes of a terminal in, changed settings of the view out. No I/O.

Seen: a terminal sends an arrow as three bytes that may come in two reads, a letter of another script as several, and the
key Escape as the byte that every such sequence begins with. Chosen: a lone Escape at the end of a read is the key, because
waiting for more would need a clock; an opened sequence is kept until the next read.
"""

from __future__ import annotations

import codecs
import re
from enum import Enum, auto

from lotkeeperd.console.choice import Choice

LONGEST_FILTER = 64
"""Characters; no symbol and no portfolio is longer."""
_LONGEST_SEQUENCE = 32  # characters; what goes on for longer is no key
_TOKEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[@-~]|.", re.DOTALL)
_OPENED = re.compile(r"\x1b(\[[0-?]*[ -/]*|O)\Z")


class Special(Enum):
    """A key that writes no character."""

    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    HOME = auto()
    END = auto()
    ENTER = auto()
    ESCAPE = auto()
    BACKSPACE = auto()
    CLEAR = auto()


Key = str | Special
"""A printable character, or a key that writes none."""

_SPECIALS = {
    "\x1b[A": Special.UP,
    "\x1bOA": Special.UP,
    "\x1b[B": Special.DOWN,
    "\x1bOB": Special.DOWN,
    "\x1b[5~": Special.PAGE_UP,
    "\x1b[6~": Special.PAGE_DOWN,
    "\x1b[H": Special.HOME,
    "\x1bOH": Special.HOME,
    "\x1b[1~": Special.HOME,
    "\x1b[7~": Special.HOME,
    "\x1b[F": Special.END,
    "\x1bOF": Special.END,
    "\x1b[4~": Special.END,
    "\x1b[8~": Special.END,
    "\r": Special.ENTER,
    "\n": Special.ENTER,
    "\x1b": Special.ESCAPE,
    "\x7f": Special.BACKSPACE,
    "\x08": Special.BACKSPACE,
    "\x15": Special.CLEAR,
}
_END = 1 << 31  # further down than any table; the frame takes what there is


class Decoder:
    """Keys out of the bytes of a terminal, wherever a read cut them."""

    def __init__(self) -> None:
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._opened = ""

    def keys(self, read: bytes) -> list[Key]:
        """The keys that ``read`` completes; what means nothing here is left out."""
        text = self._opened + self._characters.decode(read)
        opened = _OPENED.search(text)
        self._opened = opened[0] if opened and len(opened[0]) <= _LONGEST_SEQUENCE else ""
        tokens = _TOKEN.findall(text[: opened.start()] if opened else text)
        return [key for token in tokens if (key := _key(token)) is not None]


def pressed(choice: Choice, key: Key) -> Choice:
    """The settings after ``key``."""
    if choice.draft is not None:
        return _typed(choice, choice.draft, key)
    if isinstance(key, Special):
        return _moved(choice, key)
    match key:
        case "q":
            return choice._replace(quitting=True)
        case "?":
            return choice._replace(help=not choice.help)
        case "l":
            return choice._replace(lots=not choice.lots)
        case "s":
            return choice._replace(sort=choice.sort.following(), offset=0)
        case "/":
            return choice._replace(draft=choice.filter, help=False, offset=0)
    return choice


def _typed(choice: Choice, draft: str, key: Key) -> Choice:
    """A filter is being typed: a letter is a letter."""
    match key:
        case Special.ENTER:
            return choice._replace(filter=draft.strip(), draft=None)
        case Special.ESCAPE:
            return choice._replace(draft=None)
        case Special.BACKSPACE:
            return choice._replace(draft=draft[:-1], offset=0)
        case Special.CLEAR:
            return choice._replace(draft="", offset=0)
        case str():
            return choice._replace(draft=(draft + key)[:LONGEST_FILTER], offset=0)
    return choice


def _moved(choice: Choice, key: Special) -> Choice:
    match key:
        case Special.ESCAPE if choice.help:
            return choice._replace(help=False)
        case Special.ESCAPE:
            return choice._replace(filter="", offset=0)
        case Special.UP:
            return choice._replace(offset=max(0, choice.offset - 1))
        case Special.DOWN:
            return choice._replace(offset=choice.offset + 1)
        case Special.PAGE_UP:
            return choice._replace(offset=max(0, choice.offset - choice.page))
        case Special.PAGE_DOWN:
            return choice._replace(offset=choice.offset + choice.page)
        case Special.HOME:
            return choice._replace(offset=0)
        case Special.END:
            return choice._replace(offset=_END)
    return choice


def _key(token: str) -> Key | None:
    return _SPECIALS.get(token) or (token if len(token) == 1 and token.isprintable() else None)
