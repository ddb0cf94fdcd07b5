"""One thread for each worker: workers that share cores must not wait for one another's threads."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""Variables for libraries that are not loaded yet."""
