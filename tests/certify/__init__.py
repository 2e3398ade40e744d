"""The fake venues, certified: each vendor's own SDK connects to them and reads what was published."""
