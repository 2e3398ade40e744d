"""A blocking read that waits too long is noticed."""

import queue
import threading
import time
from collections.abc import Iterator

from lotkeeper.watchdog import Watchdog

LIMIT = 0.05  # seconds
LONGEST_WAIT = 30


def messages_of(source: "queue.Queue[str | None]") -> Iterator[str]:
    """What is put into ``source`` until None is."""
    while (message := source.get(timeout=LONGEST_WAIT)) is not None:
        yield message


def test_a_read_that_waits_too_long_is_cancelled() -> None:
    """Once, and it can be seen that it was the watchdog."""
    source: queue.Queue[str | None] = queue.Queue()
    source.put("first")
    with Watchdog(LIMIT, lambda: source.put(None), time.monotonic) as watchdog:
        assert list(watchdog.watched(messages_of(source))) == ["first"]
    assert watchdog.expired


def test_the_consumers_own_time_does_not_count() -> None:
    """Only a read can be too long: a slow strategy is no lost connection."""
    source: queue.Queue[str | None] = queue.Queue()
    for each in ("first", "second", None):
        source.put(each)
    now = 0.0
    cancelled = threading.Event()
    with Watchdog(LIMIT, cancelled.set, lambda: now) as watchdog:
        for _ in watchdog.watched(messages_of(source)):
            now += 1000
            assert not cancelled.wait(4 * LIMIT)
    assert not watchdog.expired


def test_the_thread_goes_with_the_stream() -> None:
    """One that stayed for every connection would fill the process."""
    before = set(threading.enumerate())
    with Watchdog(LONGEST_WAIT, lambda: None, time.monotonic):
        (thread,) = set(threading.enumerate()) - before
    thread.join(LONGEST_WAIT)
    assert not thread.is_alive()
