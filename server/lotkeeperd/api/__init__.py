"""The edge to gRPC: the only place that sees protobuf."""
