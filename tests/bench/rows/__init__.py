"""One module per group of rows; each row measures one figure against its baseline."""
