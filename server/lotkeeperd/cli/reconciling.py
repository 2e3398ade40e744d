"""Reconciling: the ledger against the broker, and the adoption of what nobody watches."""

from __future__ import annotations

import sys
import uuid
from typing import Annotated, Literal

import typer

from lotkeeperd.cli.ending import answered, fail
from lotkeeperd.cli.options import LOCAL, Address, AsJson
from lotkeeperd.cli.statement import Account, Complete, StatementFile, costs_of, statement_of


def reconcile(
    account: Account = "",
    statement: StatementFile = None,
    portfolio: Annotated[
        list[str] | None,
        typer.Option(help="Shares the broker account; may be repeated. If not given: the account's, or default."),
    ] = None,
    mode: Annotated[
        Literal["paper", "live"] | None, typer.Option(help="Refuse when a portfolio is of the other mode.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Carry out what the policy allows; without this nothing is changed.")
    ] = False,
    complete: Complete = False,
    adopt_into: Annotated[
        str, typer.Option(metavar="PORTFOLIO", help="Adopts orphaned positions, where several share the account.")
    ] = "",
    address: Address = LOCAL,
    as_json: AsJson = False,
) -> None:
    """Compare the ledger with the broker: what it has, what we have, what would be done.

    Exit codes: 0 they agree (what was repaired, ignored, or is only good to know
    does not count), 3 they differ, 4 it is not known: the broker did not answer,
    or its statement is not complete.
    """
    from lotkeeper import ReconcileMode, TradingMode
    from lotkeeperd.console.reconcile import Question
    from lotkeeperd.console.reconcile import reconcile as compare

    question = Question(
        uuid.uuid4().hex,
        tuple(portfolio or ()),
        account,
        statement_of(account, statement, complete),
        ReconcileMode.APPLY if apply else ReconcileMode.DRY_RUN,
        TradingMode[mode.upper()] if mode else TradingMode.UNSPECIFIED,
        adopt_into,
    )
    answered(lambda: compare(address, question, sys.stdout, as_json))


def recover(
    portfolio: Annotated[str, typer.Option(help="Adopts what is orphaned.")],
    account: Account = "",
    statement: StatementFile = None,
    shared_with: Annotated[
        list[str] | None,
        typer.Option(metavar="PORTFOLIO", help="Shares the broker account of a statement; may be repeated."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="UNDERLYING:EXPIRY", help="These legs are one position: SPY:2026-01-16; may be repeated."),
    ] = None,
    ungrouped: Annotated[bool, typer.Option("--ungrouped", help="Legs of no confirmed group stand alone.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Adopt; without this it is only shown.")] = False,
    complete: Complete = False,
    address: Address = LOCAL,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per orphan, for scripts.")] = False,
) -> None:
    """Adopt positions that the broker holds and no portfolio tracks, at its price.

    Option legs of one underlying and expiry are shown as a group and wait until
    it is confirmed with --group, or said to stand alone with --ungrouped. What was
    adopted has no exit watching it. Exit codes: 0 nothing is orphaned any more,
    3 something is, 4 it is not known.
    """
    from lotkeeperd.console.orphans import Grouping, NoSuchGroup
    from lotkeeperd.console.reconcile import Question
    from lotkeeperd.console.recover import Recovery
    from lotkeeperd.console.recover import recover as adopt

    told = statement_of(account, statement, complete)
    if account and shared_with:
        raise typer.BadParameter("the configuration says who shares an account", param_hint="--shared-with")
    books = () if account else (portfolio, *(shared_with or ()))
    question = Question(uuid.uuid4().hex, books, account, told, adopt_into=portfolio)
    recovery = Recovery(
        question,
        portfolio,
        Grouping(group or (), ungrouped),
        costs_of(told),
        apply,
        lambda: uuid.uuid4().hex,
    )
    try:
        answered(lambda: adopt(address, recovery, sys.stdout, as_json))
    except NoSuchGroup as error:
        fail(error)
