"""One folder or module for each Google Cloud service, holding only what differs from the generic behaviour."""
