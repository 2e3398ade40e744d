"""Stubs of the contract, written by `make protos` from `protos/lotkeeper/v1`; never edited by hand."""
