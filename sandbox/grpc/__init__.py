"""gRPC for the clients that speak nothing else: every method is transcoded to its REST path and answered there."""
