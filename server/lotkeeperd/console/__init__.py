"""What a person sees: tables in a terminal, plain lines in a pipe, JSON on request. Knows the client only."""
