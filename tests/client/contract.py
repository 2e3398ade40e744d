"""Every service of the contract, and its methods by name, as the generated stubs describe them."""

from lotkeeper.v1 import (
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_service_pb2,
)

FILES = (
    event_service_pb2,
    explain_service_pb2,
    instrument_service_pb2,
    ledger_service_pb2,
    market_service_pb2,
    portfolio_service_pb2,
    reconciliation_service_pb2,
)
SERVICES = tuple(service for file in FILES for service in file.DESCRIPTOR.services_by_name.values())
METHODS = {name: method for service in SERVICES for name, method in service.methods_by_name.items()}
