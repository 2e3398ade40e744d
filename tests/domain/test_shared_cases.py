"""Every case from the test suites of public trading systems, played through the domain and compared figure by figure.

Where our law gives another figure than the source, the figure stands in ``DIFFERS`` with the reason and what we give instead,
and that is asserted as well. A figure that could be compared may not stand there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lotkeeperd.domain.commands import Command, Method
from lotkeeperd.domain.decimals import ZERO
from lotkeeperd.domain.refusals import FillConflict, InsufficientQuantity, Refusal
from tests.domain.courses import FILE, PORTFOLIO, SYMBOL, Case, case_of, cases, ids
from tests.domain.figures import of_ours, of_the_source, read, tolerance_of, within
from tests.domain.players import PLAYERS, played

SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "trading.json"
"""The original, where it is kept beside the repository."""

SHA256 = "7c4d353622a3d4291b77b7469f6bb7093e8f066cdf7f80173e82427bda081848"
"""Of the original when it was copied."""

WHOLE = 106
"""Cases in the file."""


class Ours(NamedTuple):
    """Figures as we give them, by name, and the law that makes them differ from the source's."""

    figures: dict[str, Any]
    reason: str


FLAT = "law 12: a flat book has no average price, and what is not there is not shown; the source leaves the last one standing"
FEES_OF_THE_ENTRY = (
    "law 5: a fee is realized with the quantity it belongs to, by every lot method: of an entry half closed, half its fee; "
    "the source spreads the fees of all entries over all open quantity, as it does their prices. Both meet when flat"
)
COIN_COSTED = (
    "law 6: a fee in the coin bought is costed at the fill's price, beside the cost (law 5), so that cash comes out; "
    "the source takes it off the quantity and costs it nowhere"
)
FLIP_FEE = (
    "law 4: the closing and the opening part of a flip share its fee by quantity; the source charges all to what closed"
)
NO_ESTIMATE = (
    "law 5: a fee is realized with its quantity, not before, and law 12: what is unknown is not made up; no exit fee is "
    "estimated. Ours less the source's own estimate is the source's figure"
)

DIFFERS: dict[str, tuple[Ours, ...]] = {
    "nautilus-005": (
        Ours(
            {"return": "0.00009999900001"},
            "law 1: exact, half-even at 18 digits; the source's is a binary float, wrong from its 13th digit on",
        ),
    ),
    "nautilus-009": (Ours({"derived.realized_net_prorata": "36.357889655172413793"}, FEES_OF_THE_ENTRY),),
    "nautilus-024": (Ours({"fees_total": "50", "realized": "-50"}, COIN_COSTED),),
    "nautilus-030": (Ours({"fees_total": "2.005", "realized": "-2.005"}, COIN_COSTED),),
    "nautilus-057": (
        Ours(
            {"synthetic_fill_price": None, "open_qty": "100"},
            "nothing is closed without the broker's executions but at a price that a person gives: at our own average it would "
            "gain nothing by assumption; the source assumes that",
        ),
    ),
    "nautilus-063": (
        Ours(
            {"synthetic_fill_price": "1", "open_qty": "200", "avg_open": "1.5"},
            "what the venue holds is adopted: where no price above 0 makes the averages agree, at the venue's own, and the report "
            "says that they differ; the source refuses, and stays without the position",
        ),
    ),
    "freqtrade-001": (Ours({"steps.5.avg_open": None}, FLAT),),
    "freqtrade-002": (
        Ours({"steps.3.realized": "-27.75", "steps.4.realized": "714.125"}, FEES_OF_THE_ENTRY),
        Ours({"steps.5.avg_open": None}, FLAT),
    ),
    "freqtrade-003": (
        Ours({"steps.3.realized": "596.5", "steps.4.realized": "596.5", "steps.5.realized": "1390"}, FEES_OF_THE_ENTRY),
        Ours({"steps.6.avg_open": None}, FLAT),
    ),
    "freqtrade-004": (Ours({"steps.6.avg_open": None}, FLAT),),
    "freqtrade-005": (Ours({"steps.6.avg_open": None}, FLAT),),
    "freqtrade-019": (
        Ours(
            {"open_qty": "0.000625", "realized": "-3.3075"},
            "law 7: a flip closes all, then opens the rest; that this rest repays interest in the coin is not in the fill. It "
            "leaves without proceeds when it is handed over, and then the source's figures are ours",
        ),
    ),
    "freqtrade-026": (
        Ours(
            {"initial_stop": None, "final_stop": None, "marks": ["0", "-0.04", "0.3", "0.2", "0.4"]},
            "the journal is of everything that happened, and a stop is an order that a bot may give; we give what is "
            "unrealized at each mark",
        ),
    ),
    "lean-011": (Ours({"trade_fees": ["1.5", "1.5"]}, FLIP_FEE),),
    "lean-012": (Ours({"trade_fees": ["1.5", "1.5"]}, FLIP_FEE),),
    "lean-045": (Ours({"est_exit_fee_account": None}, NO_ESTIMATE),),
    "lean-046": (Ours({"est_exit_fee_account": None}, NO_ESTIMATE),),
    "rotki-004": (
        Ours(
            {
                "matched_cost": "0",
                "remaining_lots": [{"qty": "1", "price": "268.1"}, {"qty": "1", "price": "612.45"}],
            },
            "law 9: all or nothing; the source closes what there is and reports the shortfall, we refuse with the shortfall and "
            "close what there is when asked for close_all",
        ),
    ),
    "rotki-012": (Ours({"sale_pnls": ["3485", "-14"], "realized": "3471"}, FEES_OF_THE_ENTRY),),
    "hummingbot-006": (
        Ours(
            {"fee_in_quote": "110", "unconverted": {"USDT": "10"}},
            "law 12: no rate is not a rate; no pair is chained to another, so the fee in USDT is listed unconverted until a "
            "rate into the quote currency is given",
        ),
    ),
}
"""Case -> what we give instead, and why."""

REFUSED: dict[str, type[Refusal]] = {
    "nautilus-033": FillConflict,
    "rotki-004": InsufficientQuantity,
    "beancount-013": InsufficientQuantity,
}
"""Cases whose last event is refused, and so changes nothing."""

CASES = cases()
RUN = [case for case in CASES if case["id"] not in DIFFERS]


def instead(case: Case) -> dict[str, Any]:
    """What we give instead, all reasons together."""
    return {name: value for ours in DIFFERS.get(case["id"], ()) for name, value in ours.figures.items()}


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_the_ledger_gives_what_the_source_asserts_or_what_its_law_gives_instead(case: Case) -> None:
    """In the source's own lot method and fee convention; exactly, where the source is exact."""
    course, theirs, ours = played(case), of_the_source(case), instead(case)

    found = {name: of_ours(course, name, value) for name, value in (ours | theirs).items()}

    agrees = {name: within(found[name], read(value), tolerance_of(case, name)) for name, value in theirs.items()}
    assert {name for name, equal in agrees.items() if not equal} == ours.keys() & theirs.keys(), found
    assert {name: found[name] for name in ours} == {name: read(value) for name, value in ours.items()}
    assert type(course.refusal) is REFUSED.get(case["id"], type(None))


def test_what_an_oversale_may_close_is_closed_when_it_asks_for_all() -> None:
    """The other half of rotki-004: close_all matches what the source matches, and never becomes a short."""
    case = case_of("rotki-004")
    course = played(case)

    course.tell(Command(Method.CLOSE_FIFO, PORTFOLIO, SYMBOL, None, None, ZERO, close_all=True))

    theirs = of_the_source(case)
    for name in ("matched_cost", "remaining_lots"):
        assert of_ours(course, name, theirs[name]) == read(theirs[name])


def test_interest_that_is_paid_in_the_coin_costs_what_the_coin_cost() -> None:
    """The other half of freqtrade-019: what was bought for it leaves without proceeds."""
    case = case_of("freqtrade-019")
    course = played(case)

    course.tell(Command(Method.CLOSE_FIFO, PORTFOLIO, SYMBOL, None, course.book.quantity, ZERO))

    for name, value in of_the_source(case).items():
        assert within(of_ours(course, name, value), read(value), tolerance_of(case, name)), name


def test_a_second_fill_of_one_id_names_what_differs_and_leaves_the_first() -> None:
    """nautilus-033: the source panics; with the same content it would be a replay (law 8)."""
    course = played(case_of("nautilus-033"))

    assert course.refusal is not None
    assert course.refusal.metadata == {"field": "fill.price", "entry_id": "E1"}
    assert course.book.quantity == 50000


def test_every_case_is_run_or_listed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """None is forgotten, and none is there twice; says how many ran, and how many figures were compared."""
    assert len(CASES) == len(set(ids(CASES))) == WHOLE
    assert set(ids(CASES)) >= DIFFERS.keys() | REFUSED.keys()
    assert len(RUN) + len(DIFFERS) == WHOLE
    assert {case["kind"] for case in CASES} == PLAYERS.keys()

    compared = sum(len(of_the_source(case).keys() - instead(case).keys()) for case in CASES)
    reasons = Counter(ours.reason for listed in DIFFERS.values() for ours in listed)
    with capsys.disabled():
        print(f"\nshared cases: {len(RUN)} as the source, {len(DIFFERS)} listed; figures as the source: {compared}")
        for reason, times in reasons.most_common():
            print(f"  {times} x {reason.partition(';')[0]}")


def test_the_cases_are_those_that_are_shared() -> None:
    """The copy is the original, which may lie beside the repository."""
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert not SHARED.exists() or SHARED.read_bytes() == FILE.read_bytes()
