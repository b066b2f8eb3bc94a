"""A run of many requests through a campaign's function: read, send, keep, show, go on after an interruption."""
