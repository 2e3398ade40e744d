"""Is what we hold what the broker says we hold, and what would make it so.

    statements   what a broker says
    holdings     what the ledger says
    findings     the differences, with what is proposed
    lines        both sides of one symbol
    pairing      which recorded execution is which of the broker's
    orders       the same within one order
    owners       whose an execution is that nobody recorded
    pricing      at what price something was opened before the history begins
    solving      what would remove a difference, without a person
    repair       what a person decides about one
    explaining   a difference in one sentence
    differences  the differences of one line
    comparison   the two sides against each other
    policy       what is carried out without asking, and what stops meanwhile
    legs         what of the orphaned belongs together

All of it is values in, values out: nothing here waits, asks a broker or changes a book.
"""
