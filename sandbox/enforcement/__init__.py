"""What every request must pass before a service sees it: identity, enabled API, perimeter, permission."""
