"""Bybit: the public streams of v5, linear, inverse, spot and option."""
