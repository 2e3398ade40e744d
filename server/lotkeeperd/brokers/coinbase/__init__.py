"""Coinbase Advanced Trade: spot balances, US futures and fills of one portfolio.

manners   how it is spoken to: a token for every request
account   one account: balances and contracts
rows      positions, cash and fills out of its answers
"""
