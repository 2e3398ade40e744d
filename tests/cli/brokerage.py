"""An account as its broker states it, in files, beside a sidecar that has lived through something else."""

from __future__ import annotations

import json
from pathlib import Path

import lotkeeper
from lotkeeper import Side

LONG_PUT, SHORT_PUT = "SPY240119P00460000", "SPY240119P00470000"
HEAD = "symbol,side,quantity,average_price,cost_basis\n"


def table(folder: Path, *rows: str) -> str:
    """A CSV statement with these rows; its name."""
    path = folder / "statement.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)


def document(folder: Path, **fields: object) -> str:
    """A JSON statement, complete, with these fields; its name."""
    path = folder / "statement.json"
    said = {"asOf": "2026-02-01T00:00:00Z", "positionsComplete": True} | fields
    path.write_text(json.dumps(said), encoding="utf-8")
    return str(path)


def bought(address: str, portfolio: str, symbol: str, quantity: str, price: str) -> None:
    """A fill that the ledger knows."""
    with lotkeeper.connect(address, portfolio=portfolio) as ledger:
        ledger.record_fill(
            symbol=symbol,
            side=Side.BUY,
            quantity=quantity,
            price=price,
            fill_id=f"{portfolio}-{symbol}",
            fill_time=1_700_000_000_000_000_000,
        )


def sold(symbol: str, quantity: str, price: str, fill_id: str) -> dict[str, object]:
    """A sale as a broker's history has it."""
    return {
        "symbol": symbol,
        "side": "SIDE_SELL",
        "quantity": quantity,
        "price": price,
        "fillId": fill_id,
        "orderId": f"order-{fill_id}",
        "fillTime": "2026-01-05T15:30:00Z",
    }
