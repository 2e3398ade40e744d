"""What tests stand on: real servers to run against, and the fixtures that hand them out."""
