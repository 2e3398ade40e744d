"""What the ledger refuses, as exceptions."""

import inspect
import pickle

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2  # type: ignore[import-untyped, unused-ignore] # typed, but without the marker

from lotkeeper import errors
from lotkeeper.errors import LotkeeperError
from lotkeeper.status import BY_REASON, error_of
from lotkeeper.v1.error_reason_pb2 import ErrorReason
from tests.client.samples import failed


def info(reason: str, domain: str = "lotkeeper", **metadata: str) -> error_details_pb2.ErrorInfo:
    """The detail that names the reason."""
    return error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata)


def tree(kind: type[LotkeeperError], depth: int = 0) -> list[tuple[int, str]]:
    """The class and all below it, with how deep each lies."""
    below = [line for child in kind.__subclasses__() for line in tree(child, depth + 1)]
    return [(depth, kind.__name__), *below]


def test_every_reason_of_the_contract_has_a_class_of_its_own() -> None:
    """``except`` needs something to name."""
    reasons = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118 - no dict
    assert set(BY_REASON) == reasons
    assert len(set(BY_REASON.values())) == len(BY_REASON)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """It is drawn where it is defined, and says what is so."""
    drawn = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr] # the module has one
        depth = (len(line) - len(line.lstrip(" │├└─"))) // 4 - 1
        words = line.strip(" │├└─").split()
        if words and hasattr(errors, words[0]):
            drawn.append((depth, words[0]))
    assert drawn == tree(LotkeeperError)


@pytest.mark.parametrize("reason", sorted(BY_REASON))
def test_a_refusal_is_raised_as_the_class_of_its_reason(reason: str) -> None:
    """With what the server said about it."""
    error = error_of(failed(grpc.StatusCode.FAILED_PRECONDITION, "why", info(reason, open_quantity="1")))
    assert type(error) is BY_REASON[reason]
    assert (error.reason, error.message, error.metadata) == (reason, "why", {"open_quantity": "1"})
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION


def test_every_broken_field_is_named() -> None:
    """In ``violations`` and in the words of the exception."""
    bad = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field="quantity", description="must be greater than 0"),
            error_details_pb2.BadRequest.FieldViolation(field="fee", description="'x' is no decimal"),
        ]
    )
    error = error_of(failed(grpc.StatusCode.INVALID_ARGUMENT, "2 fields", info("FIELD_VIOLATION"), bad))
    assert isinstance(error, errors.InvalidRequest)
    assert [violation.field for violation in error.violations] == ["quantity", "fee"]
    assert str(error) == "FIELD_VIOLATION: quantity: must be greater than 0; fee: 'x' is no decimal"


def test_the_servers_delay_is_in_seconds() -> None:
    """RetryInfo comes with a full queue."""
    delay = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))
    error = error_of(failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", info("WRITE_QUEUE_FULL"), delay))
    assert isinstance(error, errors.WriteQueueFull)
    assert error.retry_delay == 1.5


def test_a_reason_of_a_newer_server_is_kept_under_the_class_of_its_code() -> None:
    """A bot that catches the family catches it too."""
    error = error_of(failed(grpc.StatusCode.NOT_FOUND, "no such thing", info("THING_NOT_FOUND", thing="x")))
    assert type(error) is errors.NotFound
    assert (error.reason, error.metadata) == ("THING_NOT_FOUND", {"thing": "x"})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.DeadlineExceeded),
        (grpc.StatusCode.UNIMPLEMENTED, errors.NotYetImplemented),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.LimitReached),
        (grpc.StatusCode.UNKNOWN, errors.ServerFault),
        (grpc.StatusCode.CANCELLED, LotkeeperError),
        (grpc.StatusCode.FAILED_PRECONDITION, LotkeeperError),
    ],
)
def test_a_status_without_details_is_raised_as_the_class_of_its_code(
    code: grpc.StatusCode, kind: type[LotkeeperError]
) -> None:
    """A lost connection and a proxy have no reason of ours."""
    error = error_of(failed(code, "gone"))
    assert type(error) is kind
    assert (error.reason, str(error)) == ("", f"{code.name}: gone")


def test_another_services_reason_is_not_ours() -> None:
    """A gateway may use the same words for something else."""
    error = error_of(failed(grpc.StatusCode.UNAVAILABLE, "gone", info("DISK_FULL", domain="gateway.example")))
    assert type(error) is errors.Unavailable
    assert error.reason == ""


def test_details_that_cannot_be_read_hide_nothing_else() -> None:
    """The code and the words are still there."""
    broken = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff")),
        "gone",
    )
    assert str(error_of(broken)) == "UNAVAILABLE: gone"


def test_what_may_be_repeated_is_one_family() -> None:
    """``except TryAgain`` is the whole of a bot's own retry."""
    for reason in ("WRITE_QUEUE_FULL", "STORAGE_UNAVAILABLE", "SERVER_DRAINING", "BROKER_UNAVAILABLE", "FENCED"):
        assert issubclass(BY_REASON[reason], errors.TryAgain)
    assert not any(issubclass(BY_REASON[reason], errors.TryAgain) for reason in ("DISK_FULL", "FILL_CONFLICT"))


def test_an_exception_crosses_to_another_process() -> None:
    """Bots run strategies in pools."""
    error = error_of(failed(grpc.StatusCode.ALREADY_EXISTS, "differs", info("FILL_CONFLICT", field="price")))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is errors.FillConflict
    assert (str(copy), copy.metadata) == (str(error), {"field": "price"})
