"""Brief commands take a shorter way through a batch; what they do is what the same commands do one by one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from lotkeeperd.domain.accounts import PortfolioCommand, TermsMethod
from lotkeeperd.domain.book import Direction
from lotkeeperd.domain.commands import Command, Excess, Method
from lotkeeperd.domain.refusals import Refusal
from lotkeeperd.service.outcomes import Answer, Outcome, Receipt
from tests.storage.ledgers import NOW, BareLedger, bare_ledger

SECOND = 1_000_000_000
COMMANDS = 400
CHUNK = 37


def course(seed: int) -> list[Command]:
    """Fills of two symbols in a plain and a long-only portfolio: late ones, repeated ones, other policies and currencies."""
    random = Random(seed)
    told: list[Command] = []
    for number in range(COMMANDS):
        if told and random.random() < 0.1:
            told.append(random.choice(told))
            continue
        fee = random.choice([None, Decimal(0), Decimal("0.07"), Decimal("-0.02")])
        told.append(
            Command(
                Method.RECORD_FILL,
                random.choice(["plain", "long-only"]),
                random.choice(["A", "B"]),
                random.choice(list(Direction)),
                Decimal(random.randint(1, 9)),
                Decimal(random.randint(50, 90)),
                fee,
                random.choice(["", "", "BNB"]) if fee else "",
                NOW + random.randint(-20, number) * SECOND,
                fill_id=f"f{number}",
                excess=random.choice([Excess.UNSPECIFIED, Excess.REVERSE, Excess.REJECT]),
                late=random.random() < 0.1,
            )
        )
    return told


def net(answer: Answer) -> object:
    """What is told of a fill either way: its sequence, what it realized, whether it was there; or the refusal in words."""
    if isinstance(answer, Refusal):
        return answer.message
    assert isinstance(answer, Outcome | Receipt)
    realized = answer.net if isinstance(answer, Receipt) else answer.sums.gross - answer.sums.fees
    return answer.sequence, realized, answer.replayed


def figures(ledger: BareLedger) -> object:
    """Every book and every balance."""
    return ledger.state.balances, {
        key: (list(book.lots()), book.gross, book.fees, book.pending) for key, book in ledger.books.items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_many_at_once_are_what_they_are_one_by_one(tmp_path: Path, seed: int) -> None:
    """The same answers, the same books, the same cash."""
    long_only = PortfolioCommand(TermsMethod.CREATE, "long-only", "r", (("long_only", True),))
    told = course(seed)
    with bare_ledger(f"sqlite:///{tmp_path}/one.db") as ledger:
        ledger.all_taken(long_only)
        answers = [net(ledger.take(command)[0]) for command in told]
        one_by_one = figures(ledger)
    with bare_ledger(f"sqlite:///{tmp_path}/many.db") as ledger:
        ledger.all_taken(long_only)
        brief = [command._replace(brief=True) for command in told]
        chunks = [brief[start : start + CHUNK] for start in range(0, len(brief), CHUNK)]
        assert [net(answer) for chunk in chunks for answer in ledger.take(*chunk)] == answers
        assert figures(ledger) == one_by_one
    refused = sum(isinstance(answer, str) for answer in answers)
    print(f"seed {seed}: {len(told)} fills, {refused} refused")
    assert 0 < refused < len(told) / 2
