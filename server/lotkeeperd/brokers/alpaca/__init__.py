"""Alpaca: stocks, options and crypto of one trading account."""
