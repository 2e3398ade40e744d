"""The Lotkeeper server: a position ledger as a service, beside trading bots.

The floors, top to bottom: `cli` (commands), `app` (the only file that names concrete classes), the edges (`api` is
gRPC, `storage` is SQL), `service` (the flow), `domain` (the pure book). Imports go down only; `pyproject.toml` holds
the contracts that say so.
"""

__version__ = "0.1.0"
