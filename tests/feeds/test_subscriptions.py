"""What a connection asks its venue for: differences, one request at a time, in chunks."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from lotkeeperd.feeds.session import Request, Subscriptions

NAMES = [f"S{number}" for number in range(40)]


def settle(subscriptions: Subscriptions, answer: Callable[[Request], bool] = lambda _: True) -> list[Request]:
    """Ask until nothing is left to ask; ``answer`` says whether the venue grants a request."""
    asked = []
    while request := subscriptions.next():
        asked.append(request)
        if answer(request):
            subscriptions.settled()
        else:
            subscriptions.refused()
        assert len(asked) < 1_000, "it asks without end"
    return asked


def test_symbols_are_asked_for_in_chunks_and_one_request_at_a_time() -> None:
    """The next request waits for the answer to the one before."""
    subscriptions = Subscriptions(2)
    subscriptions.want(["A", "B", "C"])
    assert subscriptions.next() == Request(True, ("A", "B"))
    assert subscriptions.next() is None
    subscriptions.settled()
    assert subscriptions.next() == Request(True, ("C",))
    subscriptions.settled()
    assert subscriptions.next() is None
    assert list(subscriptions.held) == ["A", "B", "C"]


def test_only_differences_are_asked_for_and_what_is_not_wanted_goes_first() -> None:
    """Giving up makes room where the venue counts."""
    subscriptions = Subscriptions(10)
    subscriptions.want(["A", "B"])
    settle(subscriptions)
    subscriptions.want(["B", "C"])
    assert settle(subscriptions) == [Request(False, ("A",)), Request(True, ("C",))]


def test_a_symbol_that_is_no_longer_wanted_while_it_is_asked_for_is_given_up_after_the_answer() -> None:
    """What was asked for is held until the venue let it go."""
    subscriptions = Subscriptions(10)
    subscriptions.want(["A"])
    subscriptions.next()
    subscriptions.want([])
    assert subscriptions.next() is None
    subscriptions.settled()
    assert subscriptions.next() == Request(False, ("A",))


@given(st.lists(st.sampled_from(NAMES), unique=True), st.sets(st.sampled_from(NAMES)), st.integers(1, 50))
def test_a_symbol_that_the_venue_does_not_know_costs_no_other_its_price(
    wanted: list[str], unknown: set[str], chunk: int
) -> None:
    """A refused request is asked again in halves until the guilty one stands alone; it is not asked for again."""
    subscriptions = Subscriptions(chunk)
    subscriptions.want(wanted)
    settle(subscriptions, lambda request: not unknown & set(request.symbols))
    assert set(subscriptions.held) == set(wanted) - unknown
    subscriptions.want(wanted)
    assert subscriptions.next() is None


def test_one_bad_symbol_among_a_hundred_is_found_in_few_requests() -> None:
    """By halves, not one by one: a venue counts requests too."""
    names = [f"S{number}" for number in range(100)]
    subscriptions = Subscriptions(100)
    subscriptions.want(names)
    asked = settle(subscriptions, lambda request: "S77" not in request.symbols)
    assert len(subscriptions.held) == 99
    assert len(asked) <= 30


def test_a_refused_symbol_is_tried_again_once_it_was_not_wanted_for_a_while() -> None:
    """The venue may have listed it since."""
    subscriptions = Subscriptions(10)
    subscriptions.want(["A"])
    settle(subscriptions, lambda _: False)
    subscriptions.want([])
    subscriptions.want(["A"])
    assert subscriptions.next() == Request(True, ("A",))


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 50))
def test_a_plan_with_few_symbols_is_filled_with_the_most_important(wanted: int, limit: int, chunk: int) -> None:
    """The first of the table get their prices, and the venue is not asked without end."""
    subscriptions = Subscriptions(chunk)
    subscriptions.want(NAMES[:wanted])
    left: tuple[str, ...] = ()
    while request := subscriptions.next():
        if len(subscriptions.held) + len(request.symbols) <= limit:
            subscriptions.settled()
        else:
            left = subscriptions.limited()
    assert list(subscriptions.held) == NAMES[: min(wanted, limit)]
    assert list(left) == NAMES[limit:wanted]


def test_room_in_a_full_plan_is_used_as_soon_as_a_symbol_is_given_up() -> None:
    """The symbols that had to wait are asked for again."""
    subscriptions = Subscriptions(10)
    subscriptions.want(["A"])
    settle(subscriptions)
    subscriptions.want(["A", "B"])
    subscriptions.next()
    assert subscriptions.limited() == ("B",)
    assert subscriptions.next() is None
    subscriptions.want(["B"])
    assert settle(subscriptions) == [Request(False, ("A",)), Request(True, ("B",))]
