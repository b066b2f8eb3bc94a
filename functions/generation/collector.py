"""How often Python looks for garbage in cycles: rarely, because requests leave none.

With the interpreter's own thresholds (700, 10, 10) it looks through all that is alive again and again while requests
pile up, and 3,200 of them in flight are a million objects: two thirds of the CPU went there, in pauses of up to a
second. Reference counts free what a request used; a test holds the function to leaving no cycles. What there is of
them all the same is found once five million objects more are alive than before.
"""

import gc

THRESHOLDS = (25_000, 10, 20)


def settle() -> None:
    """Set what is loaded aside, and look for garbage rarely. To be called once, when everything is imported.

    What was set aside is never looked through, so the pages it lies on stay shared between the server's processes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
