"""A bot's log is read strictly: what is not a whole fill or answer is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from lotkeeperd.demo.botlog import LONG, Answer, LogError, LoggedFill, Tally, read_log

FILL = (
    '{"event": "fill", "portfolio": "p", "fill_id": "f1", "symbol": "S", "side": "BUY", "quantity": "0.3", '
    '"price": "10.5", "fee": "-0.01", "time": 7}'
)
ANSWER = '{"event": "answer", "portfolio": "p", "fill_id": "f1", "sequence": 4, "replayed": false}'


def log_of(folder: Path, *lines: str) -> Path:
    """A log file with these lines."""
    path = folder / "bot.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_log_gives_fills_and_answers_exactly(tmp_path: Path) -> None:
    """Every number is the one that was written."""
    log = read_log(log_of(tmp_path, FILL, ANSWER))

    assert log.fills == (LoggedFill("p", "S", "f1", LONG, Fraction("0.3"), Fraction("10.5"), Fraction("-0.01"), 7),)
    assert log.answers == (Answer("p", "f1", 4, replayed=False),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (FILL[:40], "line 2"),
        (FILL.replace('"fill"', '"filled"'), "event is neither fill nor answer"),
        (FILL.replace('"BUY"', '"HOLD"'), "'HOLD'"),
        (FILL.replace('"10.5"', "10.5"), "10.5 is not text"),
        (FILL.replace('"10.5"', '"ten"'), "ten"),
        (ANSWER.replace('"sequence": 4, ', ""), "'sequence'"),
        (FILL, "fill f1 stands in the log twice"),
        ("[]", "line 2"),
    ],
)
def test_a_line_that_is_not_a_whole_record_is_refused(tmp_path: Path, line: str, said: str) -> None:
    """A torn, doubled or changed line is no evidence."""
    path = log_of(tmp_path, FILL, line)

    with pytest.raises(LogError) as refusal:
        read_log(path)

    assert f"{path} line 2" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_tally_counts_each_fill_of_a_growing_log_once(tmp_path: Path) -> None:
    """A half-written line counts when it is whole; answers do not count."""
    path = tmp_path / "bot.jsonl"
    tally = Tally(path)
    assert tally.fills() == 0

    with path.open("w") as file:
        for text, count in (
            (FILL[:30], 0),
            (FILL[30:] + "\n", 1),
            (ANSWER + "\n", 1),
            (f"{FILL}\n{FILL}\n", 3),
            ("", 3),
        ):
            file.write(text)
            file.flush()
            assert tally.fills() == count
