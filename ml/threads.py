"""How many threads the numeric libraries may use."""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def one_thread() -> AbstractContextManager[object]:
    """Keep the numeric libraries (OpenMP, BLAS) to one thread for the length of the block."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits
