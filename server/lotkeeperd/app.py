"""The composition root: the only file that names concrete classes. Start and stop order.

start: lock, settings, pages, schema, epoch, books | readers | ledger (writer, publisher) | accounts, once | gRPC | schedule, feeds
stop:  schedule, feeds | health says so | streams end, no new writes | running calls | what waits is written | readers, writer, lock
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from lotkeeperd.api.answers import Answers
from lotkeeperd.api.encoder import StreamEncoder
from lotkeeperd.api.event_requests import EventRequests
from lotkeeperd.api.events import EventServicer
from lotkeeperd.api.explain import ExplainServicer
from lotkeeperd.api.ledger import LedgerServicer
from lotkeeperd.api.market import MarketServicer
from lotkeeperd.api.reconciliation import ReconciliationServicer
from lotkeeperd.api.requests import Requests
from lotkeeperd.api.server import Server
from lotkeeperd.api.terms import InstrumentServicer, PortfolioServicer
from lotkeeperd.domain.rates import Pair, Pairs
from lotkeeperd.service.account_spec import BadAccount, read_account
from lotkeeperd.service.accounts import Accounts, CannotReconcile, Configured
from lotkeeperd.service.ledger import Ledger, Limits
from lotkeeperd.service.marks import Policy
from lotkeeperd.service.ports import State
from lotkeeperd.settings import BadSetting, Settings
from lotkeeperd.storage.engines import CannotStart, database_url, reader_engine, shown
from lotkeeperd.storage.journal_key import journal_key
from lotkeeperd.storage.reader import SqlReader
from lotkeeperd.storage.store import SqlStore

if TYPE_CHECKING:
    from lotkeeperd.feeds.spec import FeedSpec

__all__ = ["CannotStart", "serve"]

log = logging.getLogger(__name__)

NANOSECONDS = 1_000_000_000


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain. ``ready`` is told one line once calls are answered.

    Raises BadSetting, or CannotStart when the database cannot be used or the address is taken.
    """
    _check_listen(settings)
    feeds = _feeds(settings)
    configured = _configured(settings)
    _tune_scheduler()
    url = database_url(settings.database)
    store = SqlStore(url, journal_key(settings.journal_key))
    state = store.open(settings.currency or None, time.time_ns())
    _tune_collector()
    try:
        async with _running(settings, store, state, configured) as (ledger, accounts, server):
            await _reconciled(accounts)
            address = await _listening(server, settings.listen)
            stop = _stop_signal()
            async with _compared(accounts), _fed(ledger, feeds):
                ready(f"lotkeeper ready: listening on {address}, database {shown(url)}, ledger {ledger.ledger_id}")
                await _until_stopped(stop, ledger, server)
            log.info("draining")
            await server.drain()
            ledger.drain()
            await server.stop(settings.drain_seconds)
    finally:
        store.close()


@contextlib.asynccontextmanager
async def _running(
    settings: Settings, store: SqlStore, state: State, configured: Sequence[Configured]
) -> AsyncIterator[tuple[Ledger, Accounts, Server]]:
    clock = time.time_ns
    reader = SqlReader(reader_engine(database_url(settings.database)))
    answers, requests = Answers(state.currency), Requests()
    limits = Limits(
        settings.write_queue,
        settings.max_streams,
        settings.max_streams_per_caller,
        Policy(
            int(settings.mark_max_age * NANOSECONDS),
            settings.mark_sources,
            {source: int(seconds * NANOSECONDS) for source, seconds in settings.mark_ages},
        ),
        settings.create_portfolios,
        _pairs(settings),
    )
    ledger = Ledger(store, reader, StreamEncoder(state.ledger_id, answers, clock), clock, limits, state)
    state.books.clear()  # the ledger has them; what it closes is not to be kept here
    accounts = Accounts(ledger, ledger.holds, configured, clock, Random())  # noqa: S311 - for delays, not for secrets
    reconciliation = ReconciliationServicer(ledger, accounts, clock)
    try:
        yield (
            ledger,
            accounts,
            Server(
                {
                    "LedgerService": LedgerServicer(ledger, requests, answers, clock, reconciliation.Reconcile),
                    "MarketService": MarketServicer(ledger, requests, answers, clock),
                    "PortfolioService": PortfolioServicer(ledger),
                    "InstrumentService": InstrumentServicer(ledger),
                    "ExplainService": ExplainServicer(ledger, answers),
                    "EventService": EventServicer(ledger, EventRequests(requests), answers, clock),
                    "ReconciliationService": reconciliation,
                }
            ),
        )
    finally:
        ledger.drain()
        await ledger.drained()
        await accounts.close()
        await reader.close()


def _pairs(settings: Settings) -> Pairs:
    """What converts currencies. Raises BadSetting."""
    pairs = []
    for name, symbol in settings.pairs:
        base, slash, quote = name.partition("/")
        if not (base and slash and quote) or "/" in quote:
            raise BadSetting(f"pairs: {name!r} is not two currencies with a slash between them, such as EUR/USD")
        pairs.append(Pair(symbol, base, quote))
    try:
        return Pairs(pairs)
    except ValueError as error:
        raise BadSetting(f"pairs: {error}") from error


def _feeds(settings: Settings) -> list[FeedSpec]:
    """What is to be fed from where; nothing of it is imported when nothing is. Raises BadSetting."""
    if not settings.feeds:
        return []
    from lotkeeperd.feeds.spec import BadFeed, read_spec

    try:
        return [read_spec(name, table, os.environ) for name, table in settings.feeds]
    except BadFeed as error:
        raise BadSetting(str(error)) from error


def _configured(settings: Settings) -> list[Configured]:
    """The accounts and their brokers; no adapter is imported that none of them asks for. Raises BadSetting."""
    if not settings.accounts:
        return []
    from lotkeeperd.brokers.port import BadBroker
    from lotkeeperd.brokers.registry import broker_of

    configured = []
    for name, table in settings.accounts:
        try:
            spec = read_account(name, table)
            configured.append(Configured(spec, broker_of(spec.broker, spec.options, os.environ)))
        except BadAccount as error:
            raise BadSetting(str(error)) from error
        except BadBroker as error:
            raise BadSetting(f"[accounts.{name}] {error}") from error
    return configured


async def _reconciled(accounts: Accounts) -> None:
    """Before anything is served. Raises CannotStart where an account demands it."""
    try:
        await accounts.start()
    except CannotReconcile as error:
        raise CannotStart(str(error)) from error


@contextlib.asynccontextmanager
async def _compared(accounts: Accounts) -> AsyncIterator[None]:
    """Reconcile on the schedule meanwhile."""
    schedule = asyncio.create_task(accounts.run(), name="reconciliation")
    schedule.add_done_callback(_told)
    try:
        yield
    finally:
        schedule.cancel()
        await asyncio.gather(schedule, return_exceptions=True)


@contextlib.asynccontextmanager
async def _fed(ledger: Ledger, feeds: Sequence[FeedSpec]) -> AsyncIterator[None]:
    """Run the feeds meanwhile."""
    tasks = []
    if feeds:
        from lotkeeperd.feeds.run import run

        random = Random()  # noqa: S311 - for delays, not for secrets
        tasks = [
            asyncio.create_task(run(spec, ledger.prices, time.time_ns, random), name=f"feed {spec.name}")
            for spec in feeds
        ]
    for task in tasks:
        task.add_done_callback(_told)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _told(task: asyncio.Task[None]) -> None:
    """A feed that ends by itself has said why; what fails is a bug of ours, and the ledger goes on without it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed and has ended", task.get_name(), exc_info=error)


async def _listening(server: Server, listen: str) -> str:
    try:
        return await _bound(server, listen)
    except RuntimeError as error:
        raise CannotStart(f"--listen {listen}: it cannot be listened on; does another server have it?") from error


async def _bound(server: Server, listen: str) -> str:
    if not listen.startswith("unix:"):
        return await server.start(listen)
    path = Path(listen.removeprefix("unix:"))
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o177)  # the socket is for this user alone
    try:
        return await server.start(listen)
    finally:
        os.umask(before)


async def _until_stopped(stop: asyncio.Event, ledger: Ledger, server: Server) -> None:
    """Until a signal; meanwhile health tells when the writer has stopped for good."""
    asked = asyncio.create_task(stop.wait())
    stopped = asyncio.create_task(ledger.stopped.wait())
    await asyncio.wait((asked, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        await server.not_serving()
        await asked
    stopped.cancel()


def _tune_scheduler() -> None:
    """Ask Linux to let a thread of this process finish its slice rather than wake another one for every message.

    gRPC's threads hand each byte to the event loop, which was interrupted four times a call for it: without that, a tenth more
    calls on the same machine, and sooner answers. Threads that are started later inherit it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a sandbox may forbid it: then things are as they were
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _tune_collector() -> None:
    """Let the garbage collector leave the ledger alone.

    Lots, books and strings are many and never form cycles, yet every full collection walked all of them: measured with 64
    callers, a quarter of the server's time and 100 ms of p99. What was loaded is frozen; what is new is looked at less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _stop_signal() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def _check_listen(settings: Settings) -> None:
    """Only this machine may call until there is access control. Raises BadSetting."""
    if settings.listen.startswith("unix:"):
        return
    host, colon, port = settings.listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise BadSetting(f"listen = {settings.listen!r}: HOST:PORT or unix:/path.sock is required")
    if settings.insecure or host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BadSetting(
            f"listen = {settings.listen!r} is not loopback: anyone who can reach it could trade on this ledger; "
            "use 127.0.0.1 or unix:/path.sock, or say --insecure"
        )
