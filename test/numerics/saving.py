"""Models as bytes, TorchScript or ONNX.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import io
import warnings

import torch


def saved(module, inputs=None):
    """The bytes of the traced module, or of the scripted one where no inputs are given."""
    buffer = io.BytesIO()
    module = module.eval()
    with torch.no_grad():
        module = torch.jit.script(module) if inputs is None else torch.jit.trace(module, inputs, check_trace=False)
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def exported(model, inputs, axes):
    """The bytes of the model as ONNX, its inputs named as `axes`, which says what of them is dynamic."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, inputs, stream, input_names=list(axes), dynamic_axes=axes, opset_version=17, dynamo=False)
    return stream.getvalue()
