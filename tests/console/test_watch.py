"""``lotkeeper watch`` as a person uses it: the real command in a pseudo terminal, against a real sidecar."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import lotkeeper
from tests.console.watching import ALTERNATE, MAIN, SHOW_CURSOR, Watching, trade
from tests.support.sidecar import Sidecar

RED, GREEN = "\x1b[31m", "\x1b[32m"


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar with positions, for tests that change nothing others look at."""
    with Sidecar(str(tmp_path_factory.mktemp("watch") / "lotkeeper.db")) as running:
        trade(running.address)
        yield running


def symbols(frame: list[str]) -> list[str]:
    """The symbols of the positions in a frame, from top to bottom."""
    words = [line.split() for line in frame]
    return [line[1] for line in words if len(line) > 1 and line[1] in ("BTC", "ADA", "XRP")]


def assert_restored(watching: Watching) -> None:
    """The terminal is as it was: the same settings, the main screen, a cursor."""
    assert watching.settings() == watching.before
    assert watching.written.rindex(MAIN) > watching.written.rindex(ALTERNATE)
    assert SHOW_CURSOR in watching.written


def test_a_position_is_shown_with_its_mark_its_pnl_and_the_totals(sidecar: Sidecar) -> None:
    """In colour, with the price source and the lag; q ends it with 0 and the terminal is as it was."""
    with Watching("--address", sidecar.address) as watching:
        frame = watching.until_shown("scalper   BTC", "feed test")
        watching.press("q")
        code, said = watching.ended()

        row = next(line.split() for line in frame if line.startswith("scalper   BTC"))
        assert (row[:4], row[5:]) == (["scalper", "BTC", "4", "150.0000"], ["test", "170.00", "29.75"])
        assert row[4].endswith("s")
        assert any(line.split() == ["swing", "total", "USD", "1", "unpriced", "-10.00", "0.00"] for line in frame)
        assert frame[0].startswith(f"connected to {sidecar.address}; lag ")
        assert GREEN in watching.written
        assert RED in watching.written
        assert (code, said) == (0, "")
        assert_restored(watching)


def test_keys_sort_filter_show_lots_and_help(sidecar: Sidecar) -> None:
    """Each key changes what stands on the screen."""
    with Watching("--address", sidecar.address) as watching:
        assert symbols(watching.until_shown("scalper   BTC")) == ["ADA", "BTC", "XRP"]
        watching.press("s")
        assert symbols(watching.until_shown("by pnl")) == ["BTC", "ADA", "XRP"]
        watching.press("l")
        lots = watching.until_shown("lot F-1", "lot F-3", "lot F-4")
        assert any("1 of 2" in line and "at 100.0000" in line for line in lots)
        watching.press("/bTc")
        assert symbols(watching.until_shown("filter: bTc_")) == ["BTC"]
        watching.press("\r")
        assert symbols(watching.until_shown("1 position of 3")) == ["BTC"]
        watching.press("\x1b")
        watching.until(lambda frame: len(symbols(frame)) == 3)
        watching.press("?")
        watching.until_shown("this help, or back to the table")
        watching.press("?q")
        assert watching.ended() == (0, "")


def test_flags_say_how_it_begins(sidecar: Sidecar) -> None:
    """Order, lots and one portfolio."""
    flags = ("--sort", "value", "--lots", "--portfolio", "scalper")
    with Watching("--address", sidecar.address, *flags) as watching:
        frame = watching.until_shown("lot F-1", "by value")

    assert symbols(frame) == ["BTC"]


def test_lots_follow_the_fills(tmp_path: Path) -> None:
    """A fill is a reason to read them again."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar:
        trade(sidecar.address)
        with Watching("--address", sidecar.address, "--lots") as watching:
            watching.until(lambda frame: any("lot F-1 " in line and "1 of 2" in line for line in frame))
            with lotkeeper.connect(sidecar.address, portfolio="scalper") as ledger:
                ledger.close_fifo(symbol="BTC", quantity="2", exit_price="120", exit_fill_id="F-9")
            frame = watching.until(lambda frame: any("lot F-3 " in line and "2 of 3" in line for line in frame))

    assert not any("lot F-1 " in line for line in frame)
    assert "2 trades closed" in frame[0]


def test_a_killed_sidecar_is_said_and_followed_when_it_is_back(tmp_path: Path) -> None:
    """Reconnecting, then connected; the position is the same, and its mark unknown until one comes."""
    with Sidecar(str(tmp_path / "lotkeeper.db")) as sidecar:
        trade(sidecar.address)
        with Watching("--address", sidecar.address) as watching:
            watching.until_shown("connected to", "scalper   BTC")
            sidecar.kill()
            gone = watching.until_shown("reconnecting to")
            sidecar.restart()
            back = watching.until_shown("lost 1 time", "unknown")
            watching.press("q")
            assert watching.ended() == (0, "")

    assert symbols(gone) == symbols(back) == ["ADA", "BTC", "XRP"]


def test_a_replaced_ledger_is_followed_from_its_beginning(tmp_path: Path) -> None:
    """Another database at the same address: nothing of the old one stays."""
    with Sidecar(str(tmp_path / "one.db")) as sidecar:
        trade(sidecar.address)
        with Watching("--address", sidecar.address, columns=120) as watching:
            with lotkeeper.connect(sidecar.address, portfolio="scalper") as ledger:
                watching.until_shown("scalper   BTC")
                ledger.close_fifo(symbol="BTC", quantity="1", exit_price="120", exit_fill_id="F-9")
            watching.until_shown("1 trade closed")
            sidecar.kill()
            sidecar.database = str(tmp_path / "other.db")
            sidecar.restart()
            frame = watching.until_shown("the ledger was replaced by another")

    assert symbols(frame) == []
    assert "0 trades closed" in frame[0]


def test_it_waits_for_a_sidecar_that_is_not_there_yet(tmp_path: Path) -> None:
    """And says so; q works meanwhile."""
    with Watching("--address", f"unix:{tmp_path}/nobody.sock") as watching:
        watching.until_shown("connecting to unix:")
        watching.press("q")
        assert watching.ended() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_130_and_the_terminal_is_as_it_was(number: signal.Signals, sidecar: Sidecar) -> None:
    """Whoever ends it."""
    with Watching("--address", sidecar.address) as watching:
        watching.until_shown("scalper   BTC")
        watching.signal(number)
        assert watching.ended() == (130, "")
        assert_restored(watching)


def test_ctrl_c_ends_it_with_130(sidecar: Sidecar) -> None:
    """The key, not the signal."""
    with Watching("--address", sidecar.address) as watching:
        watching.until_shown("scalper   BTC")
        watching.press("\x03")
        assert watching.ended() == (130, "")
        assert_restored(watching)


def test_a_refusal_ends_it_with_1_and_the_terminal_is_as_it_was(sidecar: Sidecar) -> None:
    """The reason stands on stderr, after the screen is given back."""
    with Watching("--address", sidecar.address, "--portfolio", "x" * 200) as watching:
        code, said = watching.ended()
        assert code == 1
        assert said.startswith("lotkeeper: ")
        assert len(said.splitlines()) == 1
        assert_restored(watching)


def test_ctrl_z_gives_the_terminal_back_and_it_goes_on(sidecar: Sidecar) -> None:
    """Without a shell that could continue it the kernel does not stop it, so both halves are seen."""
    with Watching("--address", sidecar.address) as watching:
        watching.until_shown("scalper   BTC")
        watching.press("\x1a")
        watching.until(lambda _: watching.written.count(ALTERNATE) == 2)
        watching.press("\x1a")
        watching.until(lambda _: watching.written.count(ALTERNATE) == 3)
        watching.until_shown("scalper   BTC")
        watching.press("q")
        assert watching.ended() == (0, "")
        assert watching.written.count(MAIN) == 3
        assert_restored(watching)


def test_another_size_is_drawn_at_once(sidecar: Sidecar) -> None:
    """Wider shows more; lower still shows the keys; back again."""
    with Watching("--address", sidecar.address) as watching:
        narrow = watching.until_shown("scalper   BTC")
        watching.resize(160, 12)
        wide = watching.until_shown("gross realized")
        watching.resize(80, 24)
        assert watching.until_shown("scalper   BTC")[1] == narrow[1]

    assert len(wide) == 12
    assert "q quit" in wide[-1]


def test_without_a_keyboard_it_still_draws(sidecar: Sidecar) -> None:
    """Input from elsewhere is not read, and the terminal keeps its settings."""
    with Watching("--address", sidecar.address, keyboard=False) as watching:
        watching.until_shown("scalper   BTC")
        assert watching.settings() == watching.before
        watching.signal(signal.SIGTERM)
        assert watching.ended() == (130, "")


def test_a_terminal_that_goes_away_ends_it(sidecar: Sidecar) -> None:
    """No process is left behind when a window is closed."""
    with Watching("--address", sidecar.address) as watching:
        watching.until_shown("scalper   BTC")
        watching.hang_up()
        assert watching.ended()[0] == 130
