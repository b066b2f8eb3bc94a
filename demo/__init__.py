"""``make demo``: an example campaign on the local sandbox, from nothing to images."""
