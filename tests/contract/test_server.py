"""The server itself: health, reflection, what it does not do yet, what is no message, and its port."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from lotkeeper.v1 import ledger_service_pb2, market_service_pb2
from lotkeeper.v1.ledger_service_pb2_grpc import LedgerServiceStub
from lotkeeperd.api.server import SERVICES, Server
from lotkeeperd.domain.refusals import PortfolioNotFound
from tests.contract import reading
from tests.contract.asking import entry
from tests.support.dialing import dialed
from tests.support.refusals import failed, refused
from tests.support.sidecar import DidNotStart, Sidecar

Channel = Any
"""A grpc.Channel, called without serializers."""

Ledger = Any
Market = Any
Health = Any
"""The generated stubs; gRPC writes no types for them."""

LEDGER, MARKET = "lotkeeper.v1.LedgerService", "lotkeeper.v1.MarketService"
METHODS: list[MethodDescriptor] = [method for service in SERVICES.values() for method in service.methods]
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


# Health.


@pytest.mark.parametrize("service", ["", LEDGER, MARKET])
def test_every_service_says_that_it_serves(channel: Channel, service: str) -> None:
    """The server as a whole, and each service by its name."""
    health: Health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
    call = health.Watch(health_pb2.HealthCheckRequest(service=service))
    assert next(call).status == SERVING
    call.cancel()


def test_a_service_that_is_not_there_is_unknown(channel: Channel) -> None:
    """As the health protocol has it."""
    health: Health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="lotkeeper.v1.No")
    assert failed(health.Check, request) is grpc.StatusCode.NOT_FOUND


def test_watchers_are_told_before_a_server_goes_away(database_url: str) -> None:
    """Every one of them hears NOT_SERVING when the signal comes."""
    with Sidecar(database_url) as sidecar, dialed(sidecar.address) as channel:
        health: Health = health_pb2_grpc.HealthStub(channel)
        watches = [health.Watch(health_pb2.HealthCheckRequest(service=service)) for service in ("", LEDGER, MARKET)]
        assert [next(watch).status for watch in watches] == [SERVING] * 3
        sidecar.signal(signal.SIGTERM)
        assert [next(watch).status for watch in watches] == [NOT_SERVING] * 3
        for watch in watches:
            watch.cancel()
        assert sidecar.wait() == 0


# Reflection.


def _reflected(channel: Channel, request: reflection_pb2.ServerReflectionRequest) -> Any:
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([request]))
    return answer


def test_a_tool_can_ask_what_there_is(channel: Channel) -> None:
    """Grpcurl and the like find the services, and each service's file with its calls."""
    services = {
        service.name
        for service in _reflected(
            channel, reflection_pb2.ServerReflectionRequest(list_services="")
        ).list_services_response.service
    }
    assert {LEDGER, MARKET, "grpc.health.v1.Health"} <= services
    for name, file in ((LEDGER, ledger_service_pb2), (MARKET, market_service_pb2)):
        answer = _reflected(channel, reflection_pb2.ServerReflectionRequest(file_containing_symbol=name))
        ours = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert ours.name == file.DESCRIPTOR.name
        (service,) = ours.service
        assert [method.name for method in service.method] == [
            method.name for method in file.DESCRIPTOR.services_by_name[service.name].methods
        ]


# What it does not do yet.


async def test_what_is_not_there_yet_says_so() -> None:
    """UNIMPLEMENTED with NOT_YET_IMPLEMENTED and the feature: another answer than a misspelt method gets."""
    server = Server({"LedgerService": object()})
    address = await server.start("127.0.0.1:0")
    with dialed(address) as channel:
        refusal = await asyncio.to_thread(refused, channel.unary_unary(CREATE_ENTRY), b"")
    await server.stop(0)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNIMPLEMENTED, "NOT_YET_IMPLEMENTED")
    assert refusal.metadata == {"feature": "CreateEntry"}


def test_a_method_that_nobody_knows_is_unimplemented(channel: Channel) -> None:
    """By gRPC itself."""
    call = channel.unary_unary(f"/{LEDGER}/Nothing")
    assert failed(call, b"") is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", METHODS, ids=[method.name for method in METHODS])
def test_every_method_of_the_contract_is_answered(channel: Channel, method: MethodDescriptor) -> None:
    """An empty request gets an answer or one of our refusals: no method is unknown, none fails over nothing."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = channel.unary_stream(path)(b"") if method.server_streaming else channel.unary_unary(path).future(b"")
    try:
        answer = next(call) if method.server_streaming else call.result()
        GetMessageClass(method.output_type).FromString(answer)
    except grpc.RpcError:
        assert refused(call.result).reason in ("FIELD_VIOLATION", "TRADE_NOT_FOUND", "RECONCILIATION_NOT_FOUND")
    finally:
        call.cancel()


# What is no message.


BYTES = {
    "no message": b"\xff\xff\xff\xff",
    "cut short": b"\x0a\x7fabc",
    "text that is not UTF-8": b"\x0a\x02\xc3\x28",
    "a field number of zero": b"\x00\x01",
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
@pytest.mark.parametrize("method", ["CreateEntry", "CloseFifo", "RecordFill", "GetSummary", "ListEntries", "StreamPnL"])
def test_bytes_that_are_no_message_are_an_invalid_argument(
    channel: Channel, ledger: Ledger, method: str, data: bytes
) -> None:
    """Not INTERNAL, which would be a bug of ours; nothing is written."""
    head = reading.head(ledger)
    path = f"/{LEDGER}/{method}"
    if method == "StreamPnL":
        refusal = refused(lambda: list(channel.unary_stream(path)(data)))
    else:
        refusal = refused(channel.unary_unary(path), data)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_VIOLATION")
    assert f"lotkeeper.v1.{method}Request" in refusal.message
    assert reading.head(ledger) == head


def test_fields_of_a_newer_contract_are_passed_over(channel: Channel, portfolio: str, symbol: str) -> None:
    """A newer client may say more than this server knows."""
    newer = entry(portfolio, symbol).SerializeToString() + b"\xfa\x7f\x03new"
    answer = channel.unary_unary(f"/{LEDGER}/CreateEntry")(newer)
    assert ledger_service_pb2.CreateEntryResponse.FromString(answer).entry.symbol == symbol


# The port.


def test_two_servers_do_not_share_a_port(tmp_path_factory: pytest.TempPathFactory) -> None:
    """By default the system would let them, and each would get half of the calls: the second does not start."""
    first_file, second_file = (str(tmp_path_factory.mktemp("ledger") / "lotkeeper.db") for _ in range(2))
    with Sidecar(first_file) as first, dialed(first.address) as channel:
        with pytest.raises(DidNotStart) as refusal, Sidecar(second_file, listen=first.address):
            pass
        assert refusal.value.code == 1
        assert first.address in refusal.value.stderr
        assert LedgerServiceStub(channel).CreateEntry(entry("", "S")).sequence == 1


def test_a_unix_socket_is_an_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For a bot on the same machine, and for nobody else on it."""
    folder = tmp_path_factory.mktemp("socket")
    with (
        Sidecar(str(folder / "lotkeeper.db"), listen=f"unix:{folder}/s") as sidecar,
        dialed(sidecar.address) as channel,
    ):
        assert LedgerServiceStub(channel).CreateEntry(entry("", "S")).sequence == 1
        assert (folder / "s").stat().st_mode & 0o077 == 0


CREATE_ENTRY = "/lotkeeper.v1.LedgerService/CreateEntry"


@pytest.mark.parametrize(("error", "told"), [(grpc.aio.InternalError("Failed"), False), (RuntimeError("ours"), True)])
async def test_an_answer_that_was_cut_off_is_no_failure_of_the_server(
    error: Exception, told: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection went while it was sent, which gRPC logs with a trace and we do not; anything else is logged."""

    async def cut(*_: object) -> None:  # when gRPC itself raises it, nobody can bring about
        raise error

    class Refusing:
        async def CreateEntry(self, _request: object, _peer: object) -> None:  # noqa: N802 - the contract's name
            raise PortfolioNotFound("p")

    monkeypatch.setattr("lotkeeperd.api.server.refuse", cut)
    server = Server({"LedgerService": Refusing()})
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CREATE_ENTRY)
        with pytest.raises(grpc.aio.AioRpcError):
            await call(b"")
    await server.stop(0)
    assert any(record.exc_info for record in caplog.records) is told
