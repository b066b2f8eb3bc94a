"""Recorded answers of Google, replayed against the sandbox and compared."""
