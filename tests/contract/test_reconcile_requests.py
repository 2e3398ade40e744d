"""What is asked of reconciliation: what is taken, and every broken field named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lotkeeper.v1 import reconciliation_pb2, reconciliation_service_pb2
from lotkeeperd.api import reconcile_requests
from lotkeeperd.api.fields import NAMES, NANOSECONDS
from lotkeeperd.api.reconcile_requests import AccountAsked
from lotkeeperd.api.statements import EXECUTIONS, POSITIONS
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Severity
from lotkeeperd.domain.reconciliation.records import How, Reconcile, Resolve, State, Undo
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.domain.refusals import FieldViolations
from lotkeeperd.service.reconciliation import ReportFilter, StandingFilter

NOW = 1_700_000_000 * NANOSECONDS
ME = "ipv4:127.0.0.1:4711"
SECOND = {"seconds": 1_699_999_000}
SELL: dict[str, Any] = {
    "fill_id": "F-1",
    "order_id": "O-1",
    "symbol": "BTC/USD",
    "side": "SIDE_SELL",
    "quantity": "0.5",
    "price": "64000",
    "fee": "-0.1",
    "fee_currency": "BNB",
    "fill_time": SECOND,
    "position_side": "POSITION_SIDE_LONG",
}
SOLD = Execution(
    "BTC/USD",
    Direction.SHORT,
    Decimal("0.5"),
    Decimal(64000),
    1_699_999_000 * NANOSECONDS,
    "F-1",
    "O-1",
    Decimal("-0.1"),
    "BNB",
    Direction.LONG,
)


def asked(**fields: Any) -> Reconcile | AccountAsked:
    """A request, parsed."""
    return reconcile_requests.reconcile(reconciliation_pb2.ReconcileRequest(**fields), ME, NOW)


def stated(**fields: Any) -> Statement:
    """The statement of a request, parsed."""
    command = asked(statement={"as_of": SECOND, **fields})
    assert isinstance(command, Reconcile)
    return command.statement


def broken(**fields: Any) -> dict[str, str]:
    """What is wrong with a request, by field."""
    with pytest.raises(FieldViolations) as refused:
        asked(**fields)
    return dict(refused.value.violations)


def test_a_whole_statement_is_taken_to_the_digit() -> None:
    """Every side, time and number in its place; what the broker does not give is not known."""
    told = stated(
        positions_complete=True,
        positions=[
            {
                "symbol": "BTC/USD",
                "side": "POSITION_SIDE_SHORT",
                "quantity": "1.50",
                "average_price": "63999.123456789",
            },
            {"symbol": "SPY P400", "side": "POSITION_SIDE_LONG", "quantity": "1", "cost_basis": "-780"},
        ],
        fills=[SELL],
        fills_complete_since={"seconds": 1_699_000_000, "nanos": 7},
        cash=[{"currency": "USD", "amount": "-10.25"}],
        cash_complete=True,
    )
    assert told == Statement(
        1_699_999_000 * NANOSECONDS,
        True,
        (
            HeldPosition("BTC/USD", Direction.SHORT, Decimal("1.50"), Decimal("63999.123456789")),
            HeldPosition("SPY P400", Direction.LONG, Decimal(1), None, Decimal(-780)),
        ),
        (SOLD,),
        1_699_000_000 * NANOSECONDS + 7,
        (HeldCash("USD", Decimal("-10.25")),),
        True,
    )


def test_a_statement_that_does_not_say_so_is_complete_in_nothing() -> None:
    """An empty list proves nothing."""
    told = stated()
    assert (told.positions_complete, told.executions_since, told.cash_complete) == (False, None, False)


def test_a_position_of_nothing_is_no_position() -> None:
    """Some brokers list what was closed."""
    assert stated(positions=[{"symbol": "X", "side": "POSITION_SIDE_LONG", "quantity": "0.00"}]).positions == ()


def test_an_execution_on_two_pages_is_one_execution() -> None:
    """Pages of a history that grows overlap; the oldest comes first, whatever the order of the pages."""
    older = SELL | {"fill_id": "F-0", "fill_time": {"seconds": 1_699_998_000}}
    assert [one.fill_id for one in stated(fills=[SELL, older, SELL]).executions] == ["F-0", "F-1"]


def test_one_id_in_two_symbols_is_two_executions() -> None:
    """Ids are a venue's own, within one instrument."""
    assert len(stated(fills=[SELL, SELL | {"symbol": "ETH/USD"}]).executions) == 2


def test_a_dry_run_is_what_is_meant_when_nothing_is_said() -> None:
    """Of the default portfolio, and it needs no id."""
    command = asked(statement={"as_of": SECOND})
    assert isinstance(command, Reconcile)
    assert (command.apply, command.portfolio_ids, command.request_id) == (False, ("default",), "")
    assert (command.mode, command.asked_by, command.trial) == (None, ME, False)


def test_everything_that_is_asked_for_is_in_the_command() -> None:
    """A portfolio that is named twice is compared once."""
    command = asked(
        statement={"as_of": SECOND},
        request_id="r1",
        mode="RECONCILE_MODE_APPLY",
        portfolio_ids=["swing", "scalper", "swing", ""],
        adopt_into_portfolio_id="scalper",
        trading_mode="TRADING_MODE_PAPER",
    )
    assert isinstance(command, Reconcile)
    assert (command.request_id, command.apply, command.mode) == ("r1", True, Mode.PAPER)
    assert (command.portfolio_ids, command.adopt_into) == (("swing", "scalper", "default"), "scalper")


def test_of_an_account_that_is_named_the_portfolios_may_be_left_out() -> None:
    """Then they are those that are configured for it."""
    assert asked(broker_account="alpaca-1") == AccountAsked("alpaca-1", (), False, "", ME, "", None)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "broker_account", "broker_account or statement is required"),
        ({"broker_account": "a", "mode": 9}, "mode", "9 is neither DRY_RUN nor APPLY"),
        ({"broker_account": "a", "mode": 2}, "request_id", "is required with APPLY"),
        ({"broker_account": "a", "trading_mode": 9}, "trading_mode", "9 is neither LIVE nor PAPER"),
        (
            {"broker_account": "a", "portfolio_ids": ["p"], "adopt_into_portfolio_id": "q"},
            "adopt_into_portfolio_id",
            "'q' is not one of portfolio_ids",
        ),
        ({"statement": {}}, "statement.as_of", "is missing"),
        ({"statement": {"as_of": {"seconds": 1_700_086_401}}}, "statement.as_of", "ahead of the server's clock"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(fields: dict[str, Any], field: str, words: str) -> None:
    """By the field, with the rule."""
    assert words in broken(**fields)[field]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"fill_id": ""}, "fill_id", "it could be recorded twice"),
        ({"fill_time": None}, "fill_time", "is missing"),
        ({"side": 0}, "side", "0 is neither BUY nor SELL"),
        ({"quantity": "0"}, "quantity", "0 is not greater than 0"),
        ({"price": "1e3"}, "price", "is not a decimal"),
        ({"fee": "٣"}, "fee", "is not a decimal"),
        ({"symbol": ""}, "symbol", "a symbol is required"),
        ({"position_side": 3}, "position_side", "POSITION_SIDE_FLAT is neither LONG nor SHORT"),
    ],
)
def test_an_execution_that_breaks_a_rule_is_named_with_its_place(
    changes: dict[str, Any], field: str, words: str
) -> None:
    """In the list as it was sent."""
    wrong = broken(statement={"as_of": SECOND, "fills": [SELL, SELL | {"fill_id": "F-2"} | changes]})
    assert words in wrong[f"statement.fills[1].{field}"]


def test_every_broken_field_is_named_at_once() -> None:
    """Of positions, executions and cash."""
    assert set(
        broken(
            statement={
                "positions": [{"side": "POSITION_SIDE_FLAT", "quantity": "-1", "average_price": "x"}],
                "fills": [SELL, SELL | {"price": "1"}],
                "cash": [{"amount": "1"}, {"currency": "USD"}, {"currency": "USD", "amount": "1"}],
            }
        )
    ) == {
        "statement.as_of",
        "statement.positions[0].symbol",
        "statement.positions[0].side",
        "statement.positions[0].quantity",
        "statement.positions[0].average_price",
        "statement.fills[1].fill_id",
        "statement.cash[0].currency",
        "statement.cash[1].amount",
        "statement.cash[2].currency",
    }


@pytest.mark.parametrize(("name", "limit"), [("positions", POSITIONS), ("fills", EXECUTIONS), ("cash", NAMES)])
def test_more_rows_than_the_limit_are_refused_before_any_is_read(name: str, limit: int) -> None:
    """One violation, not one for each row."""
    wrong = broken(statement={"as_of": SECOND, name: [{}] * (limit + 1)})
    assert wrong == {f"statement.{name}": f"{limit + 1} {name}, at most {limit} are allowed"}


RESOLVING: dict[str, Any] = {"request_id": "r1", "discrepancy_id": "D7.0"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"accept": {}}, Resolve("r1", "D7.0", How.ACCEPT, resolved_by=ME)),
        (
            {"adopt": {"portfolio_id": "p", "entry_price": "1.5", "group_id": "g"}},
            Resolve("r1", "D7.0", How.ADOPT, "p", Decimal("1.5"), "g", resolved_by=ME),
        ),
        ({"adopt": {"portfolio_id": "p"}}, Resolve("r1", "D7.0", How.ADOPT, "p", resolved_by=ME)),
        ({"ignore": {"reason": "mine"}}, Resolve("r1", "D7.0", How.IGNORE, reason="mine", resolved_by=ME)),
        ({"assign": {"portfolio_id": "p"}}, Resolve("r1", "D7.0", How.ASSIGN, "p", resolved_by=ME)),
        ({"close": {"exit_price": "0"}}, Resolve("r1", "D7.0", How.CLOSE, price=Decimal(0), resolved_by=ME)),
    ],
)
def test_each_way_to_resolve_is_a_command(action: dict[str, Any], expected: Resolve) -> None:
    """With what belongs to it, and who said so."""
    request = reconciliation_service_pb2.ResolveDiscrepancyRequest(**RESOLVING, **action)
    assert reconcile_requests.resolve(request, ME) == expected


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"action", "request_id", "discrepancy_id"}),
        (RESOLVING | {"adopt": {"entry_price": "x"}}, {"adopt.portfolio_id", "adopt.entry_price"}),
        (RESOLVING | {"assign": {}}, {"assign.portfolio_id"}),
        (RESOLVING | {"ignore": {}}, {"ignore.reason"}),
        (RESOLVING | {"close": {}}, {"close.exit_price"}),
    ],
)
def test_a_resolution_that_leaves_out_what_it_needs_is_refused(fields: dict[str, Any], wrong: set[str]) -> None:
    """A portfolio is never guessed: a position in the wrong one is worse than none."""
    with pytest.raises(FieldViolations) as refused:
        reconcile_requests.resolve(reconciliation_service_pb2.ResolveDiscrepancyRequest(**fields), ME)
    assert {violation.field for violation in refused.value.violations} == wrong


def test_an_undoing_says_why() -> None:
    """And what, and under which id."""
    request = reconciliation_service_pb2.UndoResolutionRequest(
        request_id="r", resolution_id="S7.0", reason="wrong", validate_only=True
    )
    assert reconcile_requests.undo(request, ME) == Undo("r", "S7.0", "wrong", ME, True)
    with pytest.raises(FieldViolations) as refused:
        reconcile_requests.undo(reconciliation_service_pb2.UndoResolutionRequest(), ME)
    assert [violation.field for violation in refused.value.violations] == ["request_id", "resolution_id", "reason"]


def test_the_open_differences_are_what_is_listed_when_nothing_is_said() -> None:
    """Of all portfolios, however bad, a hundred at once."""
    found = reconcile_requests.standings(reconciliation_service_pb2.ListDiscrepanciesRequest())
    assert found == (StandingFilter("", "", "", frozenset({State.OPEN}), Severity.INFO), 100)


def test_what_is_listed_can_be_narrowed() -> None:
    """By every field."""
    request = reconciliation_service_pb2.ListDiscrepanciesRequest(
        portfolio_id="p",
        broker_account="a",
        symbol="X",
        states=["DISCREPANCY_STATE_GONE", "DISCREPANCY_STATE_RESOLVED"],
        least_severity="SEVERITY_MAJOR",
        page_size=7,
    )
    expected = StandingFilter("p", "a", "X", frozenset({State.GONE, State.RESOLVED}), Severity.MAJOR)
    assert reconcile_requests.standings(request) == (expected, 7)
    reports = reconciliation_service_pb2.ListReconciliationsRequest(
        portfolio_id="p", broker_account="a", start_time={"seconds": 1}, end_time={"seconds": 2}
    )
    assert reconcile_requests.reports(reports) == (ReportFilter("p", "a", NANOSECONDS, 2 * NANOSECONDS), 100)


def test_a_state_and_a_severity_that_are_none_are_refused() -> None:
    """Both at once."""
    request = reconciliation_service_pb2.ListDiscrepanciesRequest(states=[0, 9], least_severity=9)  # type: ignore[list-item,arg-type] # the mistake under test
    with pytest.raises(FieldViolations) as refused:
        reconcile_requests.standings(request)
    assert [violation.field for violation in refused.value.violations] == ["states", "states", "least_severity"]
