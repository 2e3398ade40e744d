"""The flow: async, no SQL, no sockets, no protobuf. ``ports.py`` holds what the edges provide."""
