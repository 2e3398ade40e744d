"""Which failures are tried again, and when."""

from itertools import islice

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker
from hypothesis import given
from hypothesis import strategies as st

from lotkeeper.calls import Call
from lotkeeper.errors import DeadlineExceeded, FillConflict, LotkeeperError, StorageUnavailable, WriteQueueFull
from lotkeeper.retry import FIRST_PAUSE, LONGEST_PAUSE, Attempts, backoff, is_retryable, pause_before_retry
from lotkeeper.v1.ledger_service_pb2 import CreateEntryRequest
from tests.client.samples import failed

UNAVAILABLE = LotkeeperError(grpc.StatusCode.UNAVAILABLE, "gone")
QUEUE_FULL = LotkeeperError(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "WRITE_QUEUE_FULL", retry_delay=0.4)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def attempts(clock: Clock, timeout: float = 5.0) -> Attempts:
    """The tries of one write, with pauses as long as they get."""
    call = Call("CreateEntry", CreateEntryRequest(), lambda answer: answer, timeout)
    return Attempts(call, "127.0.0.1:50051", clock, lambda: 0.0)


def stored_badly() -> grpc.aio.AioRpcError:
    """The database was locked."""
    return failed(
        grpc.StatusCode.UNAVAILABLE,
        "database is locked",
        error_details_pb2.ErrorInfo(reason="STORAGE_UNAVAILABLE", domain="lotkeeper"),
    )


@pytest.mark.parametrize("code", list(grpc.StatusCode))
@pytest.mark.parametrize("reason", ["", "WRITE_QUEUE_FULL", "DISK_FULL", "TOO_MANY_STREAMS", "FILL_CONFLICT"])
def test_only_unavailable_and_a_full_queue_are_tried_again(code: grpc.StatusCode, reason: str) -> None:
    """Everything else is an answer, and asking again does not change it."""
    expected = code is grpc.StatusCode.UNAVAILABLE or reason == "WRITE_QUEUE_FULL"
    assert is_retryable(LotkeeperError(code, "", reason)) is expected


@pytest.mark.parametrize("reason", ["STORAGE_UNAVAILABLE", "SERVER_DRAINING", "FENCED"])
def test_unavailable_is_tried_again_for_every_reason(reason: str) -> None:
    """Also when fenced: the address may soon lead to the new server."""
    assert is_retryable(LotkeeperError(grpc.StatusCode.UNAVAILABLE, "", reason))


def test_pauses_grow_to_the_longest() -> None:
    """Doubling, so that a restarted server is not met by a storm."""
    assert list(islice(backoff(lambda: 0.0), 7)) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_chance_takes_off_at_most_half(drawn: float) -> None:
    """Bots that lost the same server do not come back in the same moment, and none comes back at once."""
    for pause, longest in zip(islice(backoff(lambda: drawn), 8), backoff(lambda: 0.0), strict=False):
        assert longest / 2 <= pause <= longest
        assert FIRST_PAUSE / 2 <= pause <= LONGEST_PAUSE


def test_the_servers_delay_is_waited_first() -> None:
    """RetryInfo says when there is room again; the pause on top spreads those who wait."""
    assert pause_before_retry(QUEUE_FULL, 0.1, 5.0) == pytest.approx(0.5)
    assert pause_before_retry(UNAVAILABLE, 0.1, 5.0) == pytest.approx(0.1)


def test_there_is_no_try_after_the_deadline() -> None:
    """A wait that ends after it is not begun."""
    assert pause_before_retry(UNAVAILABLE, 0.1, 0.1) is None
    assert pause_before_retry(QUEUE_FULL, 0.1, 0.45) is None


def test_each_try_gets_what_is_left_of_the_deadline() -> None:
    """The deadline is for the call, not for each try."""
    clock = Clock()
    tries = attempts(clock)
    assert tries.remaining() == 5.0
    clock.now += 2
    assert tries.failed(stored_badly()) == FIRST_PAUSE
    assert tries.remaining() == 3.0
    clock.now += 9
    assert tries.remaining() == 0.0


def test_an_answer_is_raised_at_once() -> None:
    """A conflict stays one."""
    conflict = failed(
        grpc.StatusCode.ALREADY_EXISTS,
        "differs",
        error_details_pb2.ErrorInfo(reason="FILL_CONFLICT", domain="lotkeeper", metadata={"field": "price"}),
    )
    with pytest.raises(FillConflict):
        attempts(Clock()).failed(conflict)


def test_the_last_known_error_is_raised_when_no_further_try_fits() -> None:
    """That the queue is full says more than that time is up."""
    clock = Clock()
    tries = attempts(clock, timeout=0.3)
    full = failed(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "full",
        error_details_pb2.ErrorInfo(reason="WRITE_QUEUE_FULL", domain="lotkeeper"),
        error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1)),
    )
    with pytest.raises(WriteQueueFull):
        tries.failed(full)


def test_a_deadline_names_the_address_and_what_to_do() -> None:
    """The channel's own words are "Deadline Exceeded"."""
    with pytest.raises(DeadlineExceeded, match=r"CreateEntry: no answer from 127\.0\.0\.1:50051 within 5 s.*same ids"):
        attempts(Clock()).failed(failed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))


def test_a_deadline_remembers_why_earlier_tries_failed() -> None:
    """As its cause."""
    tries = attempts(Clock())
    tries.failed(stored_badly())
    with pytest.raises(DeadlineExceeded) as raised:
        tries.failed(failed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))
    assert isinstance(raised.value.__cause__, StorageUnavailable)
