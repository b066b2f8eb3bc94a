"""The console: what the sandbox holds and does, as pages for people."""
