"""What a campaign will cost, what it did cost, and how large it must be."""
