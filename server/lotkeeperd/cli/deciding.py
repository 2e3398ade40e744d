"""Deciding what differs: the list, one difference resolved, a resolution taken back."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from lotkeeperd.cli.ending import answered
from lotkeeperd.cli.options import LOCAL, Address, AsJson

if TYPE_CHECKING:
    from lotkeeper import ResolveAction

Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")]


def discrepancies(
    portfolio: Annotated[str, typer.Option(help="Only of this one.")] = "",
    account: Annotated[str, typer.Option(help="Only of this broker account.")] = "",
    symbol: Annotated[str, typer.Option(help="Only of this one.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved, ignored or gone.")] = False,
    address: Address = LOCAL,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per difference, for scripts.")] = False,
) -> None:
    """List what differs between ledger and broker, worst first, and what it stops."""
    from lotkeeperd.console.decide import Wanted
    from lotkeeperd.console.decide import discrepancies as print_list

    wanted = Wanted(portfolio, account, symbol, all_)
    answered(lambda: print_list(address, wanted, sys.stdout, as_json))


def resolve(
    discrepancy_id: Annotated[str, typer.Argument(metavar="ID", help="Of a difference, such as D17.1.")],
    accept: Annotated[bool, typer.Option("--accept", help="Carry out what is proposed.")] = False,
    adopt: Annotated[str, typer.Option(metavar="PORTFOLIO", help="Open a lot for it there.")] = "",
    ignore: Annotated[str, typer.Option(metavar="REASON", help="Leave it as it is, until it changes.")] = "",
    assign: Annotated[str, typer.Option(metavar="PORTFOLIO", help="Record what is proposed there.")] = "",
    close_at: Annotated[
        str, typer.Option(metavar="PRICE", help="Close what the broker no longer holds, at this price.")
    ] = "",
    price: Annotated[str, typer.Option(help="With --adopt: of the entry; the broker's average if not given.")] = "",
    group: Annotated[str, typer.Option(help="With --adopt: the group its legs belong to.")] = "",
    apply: Apply = False,
    address: Address = LOCAL,
    as_json: AsJson = False,
) -> None:
    """Show what resolving a difference records and does to P&L; with --apply do it.

    Say one of --accept, --adopt, --ignore, --assign, --close-at. What was done
    is taken back with lotkeeper undo.
    """
    from lotkeeperd.console.decide import Decision
    from lotkeeperd.console.decide import resolve as decide

    if (price or group) and not adopt:
        raise typer.BadParameter("they belong to --adopt", param_hint="--price, --group")
    said: dict[str, str | bool] = {
        "--accept": accept,
        "--adopt": adopt,
        "--ignore": ignore,
        "--assign": assign,
        "--close-at": close_at,
    }
    decision = Decision(uuid.uuid4().hex, discrepancy_id, _action(said, price, group), apply)
    answered(lambda: decide(address, decision, sys.stdout, as_json))


def _action(said: Mapping[str, str | bool], price: str, group: str) -> ResolveAction:
    """The one action that was said. Raises typer.BadParameter for none and for several."""
    from lotkeeper import AcceptProposal, AdoptPosition, AssignToPortfolio, CloseAtPrice, IgnoreDiscrepancy

    flags = [flag for flag, value in said.items() if value]
    if len(flags) != 1:
        raise typer.BadParameter(f"say one of them, not {len(flags) or 'none'}", param_hint=", ".join(said))
    (flag,) = flags
    text = str(said[flag])
    match flag:
        case "--adopt":
            return AdoptPosition(portfolio_id=text, entry_price=price or None, group_id=group)
        case "--ignore":
            return IgnoreDiscrepancy(reason=text)
        case "--assign":
            return AssignToPortfolio(portfolio_id=text)
        case "--close-at":
            return CloseAtPrice(exit_price=text)
        case _:
            return AcceptProposal()


def undo(
    resolution_id: Annotated[str, typer.Argument(metavar="RESOLUTION", help="Such as S21.0.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    apply: Apply = False,
    address: Address = LOCAL,
    as_json: AsJson = False,
) -> None:
    """Show what taking a resolution back does; with --apply do it: the difference is open again."""
    from lotkeeperd.console.decide import Reversal
    from lotkeeperd.console.decide import undo as take_back

    reversal = Reversal(uuid.uuid4().hex, resolution_id, reason, apply)
    answered(lambda: take_back(address, reversal, sys.stdout, as_json))
