"""Anything that reconciliation may record, drawn; texts and amounts are as wild as those of other records."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from lotkeeperd.domain.portfolios import Mode
from lotkeeperd.domain.reconciliation.findings import Comparison, Difference, Kind, Proposal, Resolution, Severity
from lotkeeperd.domain.reconciliation.policy import Action, Rule
from lotkeeperd.domain.reconciliation.records import (
    Account,
    How,
    Reconcile,
    Reported,
    Resolve,
    Resolved,
    Settled,
    Standing,
    State,
    Undo,
    Undone,
    discrepancy_id,
    resolution_id,
)
from lotkeeperd.domain.reconciliation.statements import Execution, HeldCash, HeldPosition, Statement
from lotkeeperd.service.ports import JournalRecord
from tests.storage.drawn import AMOUNT, KINDS, NAME, POSITIVE, SEQUENCE, SIDE, TEXT, TIME

PRICE = st.none() | AMOUNT
NAMES = st.lists(NAME, max_size=2).map(tuple)
SEQUENCES = st.lists(SEQUENCE, max_size=2).map(tuple)

EXECUTIONS = st.builds(Execution, NAME, SIDE, POSITIVE, AMOUNT, TIME, TEXT, TEXT, PRICE, TEXT, st.none() | SIDE)
STATEMENTS = st.builds(
    Statement,
    TIME,
    st.booleans(),
    st.lists(st.builds(HeldPosition, NAME, SIDE, POSITIVE, PRICE, PRICE), max_size=2).map(tuple),
    st.lists(EXECUTIONS, max_size=2).map(tuple),
    st.none() | TIME,
    st.lists(st.builds(HeldCash, NAME, AMOUNT), max_size=2).map(tuple),
    st.booleans(),
)
RULES = st.builds(
    Rule,
    st.sampled_from(Action),
    st.none() | st.sampled_from(Kind),
    st.none() | st.sampled_from(Resolution),
    st.none() | POSITIVE,
)
ACCOUNTS = st.builds(
    Account,
    TEXT,
    st.lists(st.tuples(NAME, NAME), max_size=2).map(tuple),
    POSITIVE,
    POSITIVE,
    POSITIVE,
    st.lists(RULES, max_size=2).map(tuple),
)
RECONCILE = st.builds(
    Reconcile, TEXT, NAMES, st.booleans(), STATEMENTS, ACCOUNTS, TEXT, st.none() | st.sampled_from(Mode), TEXT
)
RESOLVE = st.builds(Resolve, TEXT, NAME, st.sampled_from(How), TEXT, PRICE, TEXT, TEXT, TEXT)
UNDO = st.builds(Undo, TEXT, NAME, TEXT, TEXT)

PROPOSALS = st.lists(st.builds(Proposal, NAME, st.none() | EXECUTIONS, st.booleans(), SEQUENCES, TEXT), max_size=2).map(
    tuple
)
DIFFERENCES = st.builds(
    Difference,
    st.sampled_from(Kind),
    st.sampled_from(Severity),
    TEXT,
    NAME,
    AMOUNT,
    AMOUNT,
    st.sampled_from(Resolution),
    TEXT,
    PROPOSALS,
    st.sampled_from(("", "LONG", "SHORT")),
    TEXT,
    PRICE,
    PRICE,
    AMOUNT,
    st.booleans(),
    st.lists(EXECUTIONS, max_size=1).map(tuple),
    TIME,
)
SETTLED = st.builds(
    Settled,
    st.builds(resolution_id, SEQUENCE, st.integers(0, 1000)),
    SEQUENCE,
    TIME,
    TEXT,
    st.sampled_from(How),
    st.none() | RESOLVE,
    SEQUENCES,
    AMOUNT,
)
STANDINGS = st.builds(
    Standing,
    st.builds(discrepancy_id, SEQUENCE, st.integers(0, 1000)),
    TEXT,
    NAMES,
    DIFFERENCES,
    st.sampled_from(State),
    st.sampled_from(Action),
    TIME,
    TIME,
    SEQUENCE,
    st.none() | SETTLED,
    st.booleans(),
)
COUNT = st.integers(0, 10_000)


@st.composite
def reports(draw: st.DrawFn) -> Reported:
    """What was found is told once, as it stands."""
    found = tuple(draw(st.lists(STANDINGS, max_size=2)))
    differences = tuple(standing.difference for standing in found)
    comparison = Comparison(differences, draw(COUNT), draw(st.booleans()), draw(COUNT), draw(COUNT), draw(COUNT))
    return Reported(draw(SEQUENCE), draw(TIME), draw(RECONCILE), comparison, found, draw(NAMES))


OF_RECONCILIATION: dict[str, st.SearchStrategy[JournalRecord]] = {
    "report": reports(),
    "resolution": st.builds(Resolved, SEQUENCE, TIME, RESOLVE, STANDINGS, PROPOSALS),
    "taken back": st.builds(Undone, SEQUENCE, TIME, UNDO, STANDINGS, SEQUENCES, st.just(Decimal("-1.5")) | AMOUNT),
}
ALL_KINDS = KINDS | OF_RECONCILIATION
"""Every kind of record."""
