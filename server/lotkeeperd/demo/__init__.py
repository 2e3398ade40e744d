"""Three bots trade through a sidecar that is killed half way, and an independent count checks every figure."""
