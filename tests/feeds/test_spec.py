"""A feed's table is read whole, or refused by a message that names the key and the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from lotkeeperd.feeds.spec import MAX_SYMBOLS, BadFeed, FeedSpec, Price, read_spec

ENVIRONMENT = {"MY_KEY": "the-key", "MY_SECRET": "the-secret", "EMPTY": ""}
ALPACA: dict[str, object] = {
    "venue": "alpaca",
    "symbols": {"AAPL": "AAPL"},
    "key_variable": "MY_KEY",
    "secret_variable": "MY_SECRET",
}
BYBIT: dict[str, object] = {"venue": "bybit", "category": "linear", "symbols": {"BTCUSDT": "BTC-PERP"}}
COINBASE: dict[str, object] = {"venue": "coinbase", "symbols": {"BTC-USD": "BTC/USD"}}


def read(table: dict[str, object], **more: object) -> FeedSpec:
    """That table with some keys set, or left out when None."""
    return read_spec("x", {key: value for key, value in (table | more).items() if value is not None}, ENVIRONMENT)


def test_each_venue_has_its_own_defaults() -> None:
    """Only what cannot be known has to be said."""
    alpaca, bybit, coinbase = read(ALPACA), read(BYBIT), read(COINBASE)
    assert (alpaca.url, alpaca.encoding) == ("wss://stream.data.alpaca.markets/v2/iex", "json")
    assert bybit.url == "wss://stream.bybit.com/v5/public/linear"
    assert coinbase.url == "wss://advanced-trade-ws.coinbase.com"
    assert {spec.price for spec in (alpaca, bybit, coinbase)} == {Price.LAST}
    assert all(spec.silence > 0 for spec in (alpaca, bybit, coinbase))


def test_keys_come_from_the_environment_and_are_never_shown() -> None:
    """The table names variables; what is logged shows neither."""
    spec = read(ALPACA)
    assert (spec.key, spec.secret) == ("the-key", "the-secret")
    assert "the-key" not in f"{spec!r} {spec}"
    assert "the-secret" not in f"{spec!r} {spec}"


def test_everything_can_be_set() -> None:
    """What the table says is what the feed gets."""
    spec = read(BYBIT, category="option", price="mark", silence=3, url="ws://127.0.0.1:9/x")
    assert spec == FeedSpec(
        "x", "bybit", {"BTCUSDT": "BTC-PERP"}, Price.MARK, "ws://127.0.0.1:9/x", 3.0, category="option"
    )
    assert read(ALPACA, encoding="msgpack").encoding == "msgpack"


def test_a_replay_has_a_file_a_symbol_and_a_speed(tmp_path: Path) -> None:
    """It needs no address."""
    file = tmp_path / "prices.csv"
    file.write_text("timestamp,close\n")
    spec = read({"venue": "replay", "symbol": "BTC-PERP", "file": str(file), "speed": 0})
    assert (dict(spec.symbols), spec.file, spec.speed) == ({"BTC-PERP": "BTC-PERP"}, file, 0.0)
    assert read({"venue": "replay", "symbol": "BTC-PERP", "file": str(file)}).speed == 1.0


@pytest.mark.parametrize(
    ("table", "more", "said"),
    [
        ({}, {}, r"\[feeds.x\] venue: is missing; choose one of alpaca, bybit, coinbase, replay"),
        (BYBIT, {"venue": "binance"}, r"venue: 'binance'; choose one of"),
        (BYBIT, {"category": "perp"}, r"category: 'perp'; choose one of linear, inverse, spot, option"),
        (BYBIT, {"category": None}, r"category: is missing, and bybit requires it"),
        (
            BYBIT,
            {"symbol": "X"},
            r"symbol: bybit has no such key; it has category, price, silence, symbols, url, venue",
        ),
        (COINBASE, {"category": "spot"}, r"category: coinbase has no such key"),
        (BYBIT, {"price": "best"}, r"price: 'best'; choose one of last, mid, mark, side"),
        (BYBIT, {"price": "mark", "category": "spot"}, r"price: 'mark' is not sent by bybit spot.*choose last, mid or"),
        (COINBASE, {"price": "mark"}, r"price: 'mark' is not sent by coinbase, only by bybit.*PublishMarks"),
        (ALPACA, {"price": "mark"}, r"price: 'mark' is not sent by alpaca"),
        (ALPACA, {"encoding": "xml"}, r"encoding: 'xml'; choose one of json, msgpack"),
        (ALPACA, {"key_variable": None}, r"key_variable: is missing, and alpaca requires it"),
        (ALPACA, {"key_variable": "EMPTY"}, r"key_variable: the environment variable 'EMPTY' is not set"),
        (ALPACA, {"secret_variable": "NOBODY"}, r"secret_variable: .*'NOBODY' is not set; put the key there"),
        (ALPACA, {"secret_variable": 7}, r"secret_variable: 7 is not a text"),
        (COINBASE, {"symbols": None}, r"symbols: is missing, and coinbase requires it"),
        (COINBASE, {"symbols": {}}, r"symbols: is a table of the venue's spelling"),
        (COINBASE, {"symbols": ["BTC-USD"]}, r"symbols: is a table of the venue's spelling"),
        (COINBASE, {"symbols": {"BTC-USD": ""}}, r"symbols.BTC-USD: ''"),
        (COINBASE, {"symbols": {"BTC-USD": "X" * 65}}, r"symbols.BTC-USD: .*1 to 64 printable"),
        (COINBASE, {"symbols": {"BTC-USD": 1}}, r"symbols.BTC-USD: 1"),
        (COINBASE, {"symbols": {"A\n": "A"}}, r"printable"),
        (COINBASE, {"symbols": {"A": "X", "B": "X"}}, r"symbols.B: 'X' has its price from 'A' already"),
        (
            COINBASE,
            {"symbols": {str(n): str(n) for n in range(MAX_SYMBOLS + 1)}},
            r"symbols: has 1001 .*make two feeds",
        ),
        (BYBIT, {"symbols": {f"{n:030}": str(n) for n in range(600)}}, r"symbols: 600 topics have 27000 characters"),
        (BYBIT, {"silence": 0.9}, r"silence: 0.9: a number is required, from 1 to 600"),
        (ALPACA, {"silence": 0.9}, r"silence: 0.9: a number is required, from 1 to 600"),
        (COINBASE, {"silence": 1.9}, r"silence: 1.9: a number is required, from 2 to 600"),
        (COINBASE, {"silence": True}, r"silence: True"),
        (COINBASE, {"silence": "1"}, r"silence: '1'"),
        (COINBASE, {"url": "http://x"}, r"url: 'http://x' is not like wss://host/path"),
        (COINBASE, {"url": "wss://example.com:65536/x"}, r"url: .*a port up to 65535"),
        (COINBASE, {"url": "wss://example.com:0/x"}, r"url: .*a port up to 65535"),
        (COINBASE, {"url": "wss://example.com:x/x"}, r"url: .* is not like wss://host/path"),
        (COINBASE, {"url": "wss://example..com/x"}, r"url: .* is not like wss://host/path"),
        (COINBASE, {"url": f"wss://{'x' * 64}.com/x"}, r"url: .* is not like wss://host/path"),
        (COINBASE, {"url": "wss://[::1/x"}, r"url: .* is not like wss://host/path"),
        (COINBASE, {"url": "wss://:443/x"}, r"url: .* is not like wss://host/path"),
        (COINBASE, {"url": "ws://example.com/x"}, r"url: .* is not encrypted.*use wss://"),
        ({"venue": "replay", "symbol": "X", "file": "no-such-file"}, {}, r"file: 'no-such-file' is not a file"),
        ({"venue": "replay", "symbol": "", "file": "f"}, {}, r"symbol: '' is not a text"),
        ({"venue": "replay", "file": "f"}, {}, r"symbol: is missing, and replay requires it"),
    ],
)
def test_a_table_that_cannot_be_used_says_which_key_and_why(
    table: dict[str, object], more: dict[str, object], said: str
) -> None:
    """One message, with the way out."""
    with pytest.raises(BadFeed, match=said):
        read(table, **more)


@pytest.mark.parametrize("speed", [-1, "fast", True])
def test_a_replay_does_not_go_backwards(tmp_path: Path, speed: object) -> None:
    """A speed is a number from 0 on."""
    file = tmp_path / "prices.csv"
    file.write_text("timestamp,close\n")
    with pytest.raises(BadFeed, match="speed: .*0 or more"):
        read({"venue": "replay", "symbol": "X", "file": str(file), "speed": speed})


@pytest.mark.parametrize("url", ["wss://[::1]:65535/x", "wss://example.com", "wss://example.com.:1/", "ws://[::1]:9/x"])
def test_an_address_may_have_a_port_and_any_kind_of_host(url: str) -> None:
    """Brackets that are closed, a dot at the end."""
    assert read(COINBASE, url=url).url == url


def test_a_silence_is_never_shorter_than_the_venue_is_quiet() -> None:
    """The least that may be set."""
    assert (read(BYBIT, silence=1).silence, read(COINBASE, silence=2).silence) == (1.0, 2.0)


def test_no_feed_takes_the_name_of_marks_that_are_set_by_calls() -> None:
    """Or a call would pass for the venue."""
    with pytest.raises(BadFeed, match=r"\[feeds.api\]: .*choose another name"):
        read_spec("api", COINBASE, {})


def test_a_feed_has_a_name_that_a_source_can_have() -> None:
    """It is shown as the source of marks."""
    with pytest.raises(BadFeed, match="the name has 1 to 64 printable characters"):
        read_spec("x" * 65, COINBASE, {})


@pytest.mark.parametrize(("library", "key"), [("websockets", "venue"), ("msgpack", "encoding")])
def test_a_library_that_is_missing_is_missed_at_the_start(
    library: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the market opens."""
    monkeypatch.setattr("lotkeeperd.feeds.spec.find_spec", lambda name: None if name == library else name)
    with pytest.raises(BadFeed, match=f"{key}: needs the library {library}, .*; pip install {library}"):
        read(ALPACA, encoding="msgpack")
