"""Coinbase Advanced Trade: the market-data stream."""
