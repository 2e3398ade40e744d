"""Long answers, page by page, as if they were one. No I/O.

The server gives at most 1000 of anything at once, and a token for the next page. Whoever forgets the token reads the
first page and believes it is all. Therefore the clients never show a page: this module says which call comes next, and
puts the answers together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from lotkeeper import responses, values
from lotkeeper.answers import Page
from lotkeeper.calls import Call

V = TypeVar("V")


def next_page(call: Call[Page[V]], page: Page[V]) -> Call[Page[V]] | None:
    """The call for the page after ``page``; ``None`` when it was the last."""
    if not page.next_page_token:
        return None
    request: Any = type(call.request)()
    request.CopyFrom(call.request)
    request.page_token = page.next_page_token
    return call._replace(request=request)


def summary(pages: Sequence[Page[values.Position]]) -> responses.Summary:
    """All pages of one read; the server takes every page at the sequence of the first."""
    return responses.Summary(
        positions=tuple(chain.from_iterable(page.items for page in pages)),
        totals=pages[-1].totals,
        base_totals=pages[-1].base_totals,
        groups=tuple(chain.from_iterable(page.groups for page in pages)),
        sequence=pages[-1].sequence,
        ledger_id=pages[-1].ledger_id,
    )


class Listing(Generic[V]):
    """How far a list was read: the next ``call``, ``None`` at the end, and what was ``fetched`` and not yet taken."""

    def __init__(self, first: Call[Page[V]]) -> None:
        self.first = first
        self.call: Call[Page[V]] | None = first
        self.fetched: deque[V] = deque()
        self.newest: Page[V] | None = None  # None before the first

    def add(self, page: Page[V]) -> Page[V]:
        """Take in ``page``, the answer to ``call``; gives it back."""
        if self.call is not None:
            self.call = next_page(self.call, page)
        self.fetched.extend(page.items)
        self.newest = page
        return page
