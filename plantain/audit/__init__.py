"""The audit: what was declared, planned and is really there, judged by one catalogue, kept as evidence."""
