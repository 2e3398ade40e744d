"""The pure heart: exact lots and P&L. Standard library only; no await, no clock, no randomness, no logging."""
