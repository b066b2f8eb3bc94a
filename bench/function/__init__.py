"""Benchmarks of the function: a minimal model server, a load generator, and what the function is compared with."""
