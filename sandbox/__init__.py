"""A local Google Cloud on loopback that enforces what Google enforces. It knows no product: any client may use it."""
