"""TorchScript models as bytes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io

import torch


def saved(module, inputs=None):
    """The bytes of the traced module, or of the scripted one where no inputs are given."""
    buffer = io.BytesIO()
    module = module.eval()
    with torch.no_grad():
        module = torch.jit.script(module) if inputs is None else torch.jit.trace(module, inputs, check_trace=False)
    torch.jit.save(module, buffer)
    return buffer.getvalue()
