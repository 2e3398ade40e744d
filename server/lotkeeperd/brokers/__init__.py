"""Brokers that are asked what they hold: read-only adapters, and the port by which a user adds one.

    port        what a plug-in is, and how it is added
    registry    from the name of a broker to the adapter
    options     an account's options, read and checked once
    errors      what can go wrong while an account is read
    http        requests that are signed, retried and held back
    payload     numbers, times and rows out of answers, exactly
    reading     one statement out of what was read, which says of itself what is complete
    alpaca, bybit, coinbase   the brokers
    exchanges   every other one, through ccxt

Nothing here can trade: every request is a GET, and keys that may only read are enough.
"""
