"""From the name of a broker to the adapter that reads it.

An adapter and its libraries are imported when an account asks for them, so that a server without accounts does without. The
house's own names come first: no plug-in can stand in for one of them unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

from lotkeeperd.brokers.options import Options
from lotkeeperd.brokers.port import GROUP, LIVE, BadBroker, Timing
from lotkeeperd.service.reconciliation import Broker

_LIBRARIES = ("httpx", "cryptography", "jwt")
_EXTRA = "pip install 'lotkeeper[brokers]'"


def broker_of(
    kind: str, options: Mapping[str, object], environment: Mapping[str, str], timing: Timing = LIVE
) -> Broker:
    """The broker ``kind`` ("alpaca", "bybit", "coinbase", "ccxt", or a plug-in's name) with these options. Raises BadBroker.

    Nothing is asked of it yet. ``environment`` is where ``env:NAME`` is looked up for the house's own; a plug-in does it itself.
    """
    house = _HOUSE.get(kind)
    if house is not None:
        return house(Options(kind, options, environment), timing)
    return _plugged_in(kind, options)


def kinds() -> tuple[str, ...]:
    """Every name that ``broker_of`` takes: the house's own, then the plug-ins that are installed."""
    return (*_HOUSE, *sorted({found.name for found in entry_points(group=GROUP)} - set(_HOUSE)))


def _plugged_in(kind: str, options: Mapping[str, object]) -> Broker:
    found = tuple(entry_points(group=GROUP, name=kind))
    if not found:
        raise BadBroker(
            f"broker {kind!r} is not known; there are {', '.join(kinds())}, "
            f"and plug-ins by entry points of the group {GROUP!r}"
        )
    if len({entry.value for entry in found}) > 1:
        raise BadBroker(f"broker {kind!r} is offered by {', '.join(map(_offered, found))}; uninstall all but one")
    try:
        opened: Broker = found[0].load()(options)
    except BadBroker:
        raise
    # What a plug-in raises is not ours to know; its words may hold an option, and an option may be a key.
    except Exception as error:  # noqa: BLE001
        raise BadBroker(
            f"broker {kind!r} ({_offered(found[0])}) cannot be opened: {type(error).__name__} while it read its options"
        ) from None
    return opened


def _offered(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _require(options: Options) -> None:
    for library in _LIBRARIES:
        if find_spec(library) is None:
            raise options.bad("broker", f"needs the library {library}, which is not installed; {_EXTRA}")


def _alpaca(options: Options, timing: Timing) -> Broker:
    _require(options)
    from lotkeeperd.brokers.alpaca.account import open_alpaca

    return open_alpaca(options, timing)


def _bybit(options: Options, timing: Timing) -> Broker:
    _require(options)
    from lotkeeperd.brokers.bybit.account import open_bybit

    return open_bybit(options, timing)


def _coinbase(options: Options, timing: Timing) -> Broker:
    _require(options)
    from lotkeeperd.brokers.coinbase.account import open_coinbase

    return open_coinbase(options, timing)


def _ccxt(options: Options, timing: Timing) -> Broker:
    from lotkeeperd.brokers.exchanges import open_exchange

    return open_exchange(options, timing)


_HOUSE: Mapping[str, Callable[[Options, Timing], Broker]] = {
    "alpaca": _alpaca,
    "bybit": _bybit,
    "coinbase": _coinbase,
    "ccxt": _ccxt,
}
