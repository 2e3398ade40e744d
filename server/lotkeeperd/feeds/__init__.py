"""Prices from venues: configured, not coded.

Problem: three venues speak three protocols over one kind of connection, and break it in the same few ways.
Chosen: per venue `messages` (pure: a payload to quotes) and `session` (sans-I/O: frames and time in, frames, quotes and errors
out); once for all of them `spec` (what the configuration says), `session` (requests, answers, silence), `reconnect` (when to
try again), `run` (the only file with sockets, beside `sockets`), and `replay` (a file instead of a venue).

The libraries that talk to venues are imported when a feed runs, not before: a ledger without feeds does not pay for them.
"""
