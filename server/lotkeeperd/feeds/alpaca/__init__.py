"""Alpaca: the stock stream, JSON or MessagePack."""
