"""How ONNX Runtime runs Turbo, and whether this CPU multiplies INT8 exactly."""

import base64
from functools import cache
from typing import Any

import numpy as np

_PROBE = (
    "CAgSADqRAQoTCgNvbmUKAXMSAXciBkV4cGFuZAodCgNyb3cKAXcSBHN1bXMiDU1hdE11bEludGVnZXISAXAqDggB"
    "CAEQA0IDb25lSgF/KhkIAhAHQgFzShAEAAAAAAAAAAQAAAAAAAAAWhUKA3JvdxIOCgwIAhIICgIIAQoCCARiFgoE"
    "c3VtcxIOCgwIBhIICgIIAQoCCARCBAoAEBE="
)
"""ONNX graph: one `MatMulInteger` of `row` `[1, 4]`, unsigned bytes, and a `[4, 4]` of 127."""


@cache
def int8_saturates() -> bool:
    """Return whether products of unsigned and signed bytes lose their top on this CPU.

    x86 without VNNI adds two such products into 16 bits and clips the sum. Asked by trying, since
    it depends on the kernel that ONNX Runtime chooses; takes a few milliseconds, once.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        base64.b64decode(_PROBE), options, providers=["CPUExecutionProvider"]
    )
    (sums,) = session.run(None, {"row": np.full((1, 4), 255, np.uint8)})
    return bool((sums != 4 * 255 * 127).any())


def session_options(threads: int) -> Any:
    """Return the options of every session that runs Turbo, with `threads` for one utterance."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Every utterance has another length: an arena would keep the largest of everything.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Waiting threads sleep: the recognizer and the capture need the cores in between.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if int8_saturates():
        # Slower products that are exact. Where none saturate, ONNX Runtime would take the slower
        # ones all the same: so only here.
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4  # errors come back as exceptions
    return options
