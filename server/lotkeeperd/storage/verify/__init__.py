"""Law 13: rebuilds everything from the journal alone and compares, to the digit, with what is stored.

Everything is read in one snapshot, so a server may go on writing meanwhile. What is compared:

    the journal            no gap, ends where the ledger stands; every row is written as its content says; its chain (``chain``)
    executions             what was asked, laws 3 and 4; every closed trade
    corrections, late      what they say became of which slot and which trade, against the book folded anew (``amended``)
    entries                every column, as they are when they can change no more
    books, the view        every sum, by side and lot method, fees that are not in yet
    terms and cash         portfolios, instruments, balances
    brokers                every difference that a report found, and what became of it
    and that there is nothing else

Memory grows with open lots, not with history: an entry is compared as its last part is closed, and only what is open is kept.
A book that was ever corrected keeps its history while it is replayed, since a correction may reach back to its first record.
"""

from lotkeeperd.storage.verify.findings import DIFFERENCES
from lotkeeperd.storage.verify.run import Verified, printed_head, verify

__all__ = ["DIFFERENCES", "Verified", "printed_head", "verify"]
