"""The command lines."""

import os

# Set before numpy is loaded. The arrays here are small: a second BLAS thread only spins, and cost
# a run with Whisper nearly twice the processor time at the same wall time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
