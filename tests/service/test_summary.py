"""How long a paged GetSummary can be continued, by a clock that the test moves."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import cast

import pytest

from lotkeeperd.domain.book import Book, Direction, Fill, LotMethod
from lotkeeperd.domain.decimals import EXACT, ZERO
from lotkeeperd.domain.portfolios import Portfolio
from lotkeeperd.domain.rates import Pairs
from lotkeeperd.domain.refusals import InvalidPageToken, PortfolioNotFound
from lotkeeperd.service.conversion import Converter
from lotkeeperd.service.groups import Groups
from lotkeeperd.service.marks import MarkBoard, Policy
from lotkeeperd.service.ports import Reader, Written
from lotkeeperd.service.summary import CALLERS, KEPT_NANOSECONDS, READS_PER_CALLER, Asked, Summaries
from lotkeeperd.service.valuation import Valuation

HEAD = 7
ASKED = Asked("p")
CURRENCY = "USD"
START = 1_700_000_000_000_000_000


class Clock:
    """A clock that stands still until it is moved; nanoseconds UTC."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        """The time it is."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Handed in where the server hands in its own."""
    return Clock()


@pytest.fixture
def valuation() -> Valuation:
    """One portfolio with two positions."""
    marks = MarkBoard(Policy(KEPT_NANOSECONDS))
    valuation = Valuation(marks, Converter(marks, Pairs()), CURRENCY)
    valuation.commit(written({"p": Portfolio("p", CURRENCY)}, A="1", B="2"))
    return valuation


@pytest.fixture
def summaries(clock: Clock, valuation: Valuation) -> Summaries:
    """What is tested."""
    groups = Groups(valuation, cast(Reader, None), lambda: None)  # nobody asks for a group, so nothing is read
    return Summaries(valuation, groups, lambda: HEAD, clock)


def written(portfolios: dict[str, Portfolio], **quantities: str) -> Written:
    """A batch that leaves so much of each symbol open in p."""
    books = {("p", symbol, ""): opened(quantity) for symbol, quantity in quantities.items()}
    return Written([], [], {}, {}, False, [], [], books, portfolios, {}, {})


def opened(quantity: str) -> Book:
    """A book with one long lot."""
    book = Book()
    fill = Fill(Direction.LONG, Decimal(quantity), Decimal(100), ZERO, START)
    with localcontext(EXACT):
        book.evolve(book.decide(fill, 1), 1, START)
    return book


def cause(summaries: Summaries, name: str, asked: Asked = ASKED, caller: str = "me") -> str:
    """Why a read cannot be continued."""
    with pytest.raises(InvalidPageToken) as refusal:
        summaries.kept(name, asked, caller)
    return refusal.value.metadata["cause"]


def test_a_read_can_be_continued_for_a_minute(summaries: Summaries, clock: Clock, valuation: Valuation) -> None:
    """With the very figures of its first page, whatever was committed since; a nanosecond later it has expired."""
    first = summaries.take(ASKED)
    name = summaries.keep(first, "me")
    valuation.commit(written({}, A="9"))
    clock.now += 60 * 1_000_000_000
    summaries.forget()
    assert summaries.kept(name, ASKED, "me") is first
    assert [valued.book.quantity for _, valued in first.positions] == [1, 2]
    assert [valued.book.quantity for _, valued in summaries.take(ASKED).positions] == [9, 2]
    clock.now += 1
    assert cause(summaries, name) == "expired"
    summaries.forget()
    assert cause(summaries, name) == "expired"


def test_what_has_expired_is_forgotten_without_being_asked_for(summaries: Summaries, clock: Clock) -> None:
    """An idle caller holds nothing, a younger read of it stays."""
    old = summaries.keep(summaries.take(ASKED), "me")
    clock.now += KEPT_NANOSECONDS // 2
    young = summaries.keep(summaries.take(ASKED), "me")
    clock.now += KEPT_NANOSECONDS // 2 + 1
    summaries.forget()
    assert summaries.kept(young, ASKED, "me")
    assert cause(summaries, old) == "expired"


def test_the_seventeenth_read_of_a_caller_ends_its_oldest(summaries: Summaries) -> None:
    """The others go on, and so does another caller's."""
    others = summaries.keep(summaries.take(ASKED), "other")
    names = [summaries.keep(summaries.take(ASKED), "me") for _ in range(READS_PER_CALLER + 1)]
    assert cause(summaries, names[0]) == "evicted"
    assert all(summaries.kept(name, ASKED, "me") for name in names[1:])
    assert summaries.kept(others, ASKED, "other")


def test_a_read_belongs_to_its_caller_and_its_request(summaries: Summaries) -> None:
    """Neither another caller nor another request goes on with it."""
    name = summaries.keep(summaries.take(ASKED), "me")
    assert cause(summaries, name, caller="other") == "evicted"
    assert cause(summaries, name, Asked("p", include_flat=True)) == "other_request"


def test_the_caller_that_was_silent_longest_is_forgotten_first(summaries: Summaries) -> None:
    """However many callers come, what is kept is bounded."""
    first = summaries.keep(summaries.take(ASKED), "first")
    second = summaries.keep(summaries.take(ASKED), "second")
    summaries.keep(summaries.take(ASKED), "first")
    for number in range(CALLERS - 1):
        summaries.keep(summaries.take(ASKED), f"caller {number}")
    assert cause(summaries, second, caller="second") == "evicted"
    assert summaries.kept(first, ASKED, "first")


def test_only_the_newest_state_is_taken(summaries: Summaries) -> None:
    """The past is for others, and there is no portfolio but what was made."""
    assert summaries.take(ASKED).sequence == HEAD
    for other in (Asked("p", as_of=HEAD), Asked("p", as_of_time=START), Asked("p", method=LotMethod.FIFO)):
        with pytest.raises(AssertionError, match="a question for the past"):
            summaries.take(other)
    with pytest.raises(PortfolioNotFound):
        summaries.take(Asked("q"))
