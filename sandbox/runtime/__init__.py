"""What runs customers' code: network gateway, metadata server, builds and function instances."""
