"""Moving in: other programs' files and tables become records of the ledger."""
