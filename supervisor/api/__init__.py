"""The control API: HTTP at the edge, the engine behind it."""
