"""Small programs, one per vendor's SDK, that print what the SDK handed them as lines of JSON."""
