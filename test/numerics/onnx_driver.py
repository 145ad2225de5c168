"""Runs the program evaluate-onnx, which imports ONNX models and evaluates them: one process for many models.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pathlib
import subprocess

import onnx
from onnx import numpy_helper


class Driver:
    """Answers for models; a crash of the process is the answer "crash", and the next model gets a new process."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path):
        self.program = program
        self.folder = folder
        self.process = None

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(timeout=60)
            self.process = None

    def ask(self, folder: pathlib.Path) -> str:
        if self.process is None:
            self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                            errors="replace")
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            answer = f"crash {self.process.wait()}"
            self.process = None
        return answer.strip()

    def import_bytes(self, model: bytes) -> str:
        """Imports without running."""
        self._clear()
        (self.folder / "model.onnx").write_bytes(model)
        return self.ask(self.folder)

    def run(self, model: onnx.ModelProto, inputs: list):
        """The answer, and the outputs when it is "ok". `inputs` are arrays or TensorProtos, in the model's order."""
        self._clear()
        (self.folder / "model.onnx").write_bytes(model.SerializeToString())
        (self.folder / "run").touch()
        for i, (info, value) in enumerate(zip(model.graph.input, inputs)):
            tensor = value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value)
            tensor.name = info.name
            (self.folder / f"input_{i}.pb").write_bytes(tensor.SerializeToString())
        answer = self.ask(self.folder)
        outputs = []
        for i in range(len(model.graph.output) if answer == "ok" else 0):
            tensor = onnx.TensorProto.FromString((self.folder / f"output_{i}.pb").read_bytes())
            outputs.append(numpy_helper.to_array(tensor))
        return answer, outputs

    def _clear(self):
        for old in self.folder.glob("*"):
            if old.is_file() or old.is_symlink():
                old.unlink()
