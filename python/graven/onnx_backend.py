"""Graven as a backend of ONNX, for onnx.backend.test and whatever else runs models through onnx.backend.base.

    import graven.onnx_backend as backend
    outputs = backend.run_model(onnx.load("m.onnx"), [x])

PyTorch takes no part. Models of which the file does not say all shapes, or whose Graph depends on the elements of inputs,
are compiled when they are run. Sequences are lists, and an optional that holds nothing is None.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx.backend.base import Backend, BackendRep

import graven


class GravenRep(BackendRep):
    """A compiled model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Runs the model on a list of arrays in the order of its inputs, a mapping by names, or the one array."""
        if isinstance(inputs, Mapping):
            return tuple(self._model.run(**inputs))
        return tuple(self._model.run(*(inputs if isinstance(inputs, Sequence) else [inputs])))


class GravenBackend(Backend):
    """Compiles models for the CPU."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> GravenRep:
        """Compiles a model; `kwargs` are those of graven.compile, with one thread where they do not say how many."""
        if not cls.supports_device(device):
            raise ValueError(f"device must be 'CPU', got {device!r}")
        return GravenRep(graven.compile(model.SerializeToString(), **{"threads": 1, **kwargs}))

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU",
                  **kwargs: Any) -> tuple[Any, ...]:
        """Compiles a model and runs it once."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device.partition(":")[0] == "CPU"


prepare = GravenBackend.prepare
run_model = GravenBackend.run_model
supports_device = GravenBackend.supports_device
