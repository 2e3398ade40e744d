"""Bybit: derivatives, options and spot of one unified account.

manners   how it is spoken to: signatures, error codes, its clock
account   one account: which categories, and how symbols are spelled
rows      positions, executions and coins out of its answers
"""
