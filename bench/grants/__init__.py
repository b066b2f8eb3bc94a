"""Which step fails without which grant: see `__main__`."""
