"""How Python and the C library keep memory, for requests that are many and images that are large.

Garbage in cycles is looked for rarely, because requests leave none. With the interpreter's own thresholds (700, 10, 10)
it looks through all that is alive again and again while requests pile up, and 3,200 of them in flight are a million
objects: two thirds of the CPU went there, in pauses of up to a second. Reference counts free what a request used; a
test holds the function to leaving no cycles. What there is of them all the same is found once five million objects more
are alive than before.

Freed memory is kept for the next image instead of being given back to the kernel, which would hand it out again page by
page: 500 page faults, half of the time, while an image of 1.5 MB is received. At most 32 MiB are kept.
"""

import ctypes
import gc

THRESHOLDS = (25_000, 10, 20)
KEPT_BYTES = 32 * 1024 * 1024
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3), glibc."""


def settle() -> None:
    """Set what is loaded aside, look for garbage rarely, keep freed memory. To be called once everything is imported.

    What was set aside is never looked through, so the pages it lies on stay shared between the server's processes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have none, and need none
        mallopt(TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(MMAP_THRESHOLD, KEPT_BYTES)
