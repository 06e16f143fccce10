"""Model providers: how a `ChatModel` reaches each API, server or library."""
