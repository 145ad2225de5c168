#!/usr/bin/env python3
"""Trains the handwritten-digit classifier of this example and writes everything that the demo uses.

A teacher learns scikit-learn's digits (8x8 images, 1437 of 1797 of them), then a student an eighth of its size learns
the teacher's soft targets (Hinton, Vinyals, Dean 2015: softmax at a temperature, beside the hard labels). Only the
student is kept:
  digits.pt            the student as TorchScript (traced at batch size 1)
  digits.onnx          the student as ONNX, batch normalization left in place as in digits.pt
  heldout_images.npy   f32 [360, 1, 8, 8] in 0..1, the images that no training saw
  heldout_labels.npy   u8 [360]
  expected.json        what PyTorch answers for them: predictions and accuracy
The same versions of the packages on the same kind of CPU write the same bytes each time.

usage: .venv/bin/python examples/digits/train.py [FOLDER]      FOLDER: where to write (default: beside this file)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import pathlib
import pickle
import re
import sys
import warnings
import zipfile

import numpy
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

HELD_OUT = 360
TEMPERATURE = 4.0
SOFT_SHARE = 0.9  # of the loss; the rest is the hard labels'


def conv_bn_relu(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Teacher(nn.Module):
    """Images f32 [N, 1, 8, 8] -> logits f32 [N, 10]."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *conv_bn_relu(1, 48), *conv_bn_relu(48, 48), nn.MaxPool2d(2),
            *conv_bn_relu(48, 96), *conv_bn_relu(96, 96), nn.Flatten(), nn.Dropout(0.4))
        self.head = nn.Linear(96 * 4 * 4, 10)

    def forward(self, x):
        return self.head(self.features(x))


class Student(nn.Module):
    """Images f32 [N, 1, 8, 8] -> logits f32 [N, 10]: two convolutions, one residual block, one linear layer."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*conv_bn_relu(1, 16), *conv_bn_relu(16, 32), nn.MaxPool2d(2))
        self.conv = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.head = nn.Linear(32 * 4 * 4, 10)

    def forward(self, x):
        x = self.stem(x)
        x = functional.relu(self.norm(self.conv(x)) + x)
        return self.head(torch.flatten(x, 1))


def shifted(images, generator):
    """The images, each moved by -1, 0 or 1 pixel in both directions, the border filled with 0."""
    padded = functional.pad(images, (1, 1, 1, 1))
    down, right = torch.randint(0, 3, (2, len(images)), generator=generator)
    rows = down[:, None] + torch.arange(8)
    columns = right[:, None] + torch.arange(8)
    return padded[torch.arange(len(images))[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]


def train(model, images, labels, epochs, loss, seed):
    """Adam with a cosine schedule; loss(logits, images, labels) -> scalar."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(64):
            x = shifted(images[batch], generator)
            optimizer.zero_grad()
            loss(model(x), x, labels[batch]).backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def distillation_loss(teacher):
    def loss(logits, images, labels):
        with torch.no_grad():
            soft = functional.softmax(teacher(images) / TEMPERATURE, dim=1)
        # The gradient of the soft part shrinks with 1/T^2, so it is scaled back.
        divergence = functional.kl_div(functional.log_softmax(logits / TEMPERATURE, dim=1), soft,
                                       reduction="batchmean") * TEMPERATURE**2
        return SOFT_SHARE * divergence + (1 - SOFT_SHARE) * functional.cross_entropy(logits, labels)
    return loss


def portable(text):
    """A source path of this machine, cut to what it is within its package or this repository."""
    return re.sub(r"^\S*?/(?=(?:torch|examples)/)", "", text.replace("site-packages/", "/"))


def save_torchscript(model, path):
    """Traces at batch 1. The trace's debug records keep file and line of each operation, without this machine's
    folders."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; that is why this example exists
        torch.jit.trace(model, torch.zeros(1, 1, 8, 8)).save(str(path))
    with zipfile.ZipFile(path) as archive:
        prefix = archive.namelist()[0].split("/")[0]
        records = {name.removeprefix(f"{prefix}/"): archive.read(name) for name in archive.namelist()}
    writer = torch._C.PyTorchFileWriter(str(path))
    for name, data in records.items():
        if name in ("version", "byteorder", ".data/serialization_id"):
            continue  # the writer's own
        if name.endswith(".debug_pkl"):
            form, strings, ranges = pickle.loads(data)
            data = pickle.dumps((form, tuple(map(portable, strings)), ranges), protocol=2)
        writer.write_record(name, data, len(data))
    writer.write_end_of_file()


def save_onnx(model, path):
    """Exports at batch 1, unoptimized: the graph as written, as in the TorchScript file."""
    torch.onnx.export(model, (torch.zeros(1, 1, 8, 8),), str(path), dynamo=True, optimize=False, verbose=False,
                      external_data=False, input_names=["x"], output_names=["y"])
    exported = onnx.load(path)
    for node in exported.graph.node:
        for entry in node.metadata_props:
            entry.value = re.sub(r'(?<=")/\S+?(?=")', lambda match: portable(match[0]), entry.value)
    onnx.save(exported, path)


def correct(model, images, labels):
    with torch.no_grad():
        return int((model(images).argmax(1) == labels).sum())


def main(folder):
    torch.manual_seed(20)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    digits = load_digits()
    images = torch.from_numpy((digits.images / 16).astype(numpy.float32))[:, None]
    labels = torch.from_numpy(digits.target)
    train_rows, test_rows = train_test_split(numpy.arange(len(images)), test_size=HELD_OUT, random_state=0,
                                             stratify=digits.target)
    train_images, train_labels = images[train_rows], labels[train_rows]
    test_images, test_labels = images[test_rows].contiguous(), labels[test_rows]

    teacher = train(Teacher(), train_images, train_labels, 40, lambda y, _, t: functional.cross_entropy(y, t), seed=1)
    student = train(Student(), train_images, train_labels, 60, distillation_loss(teacher), seed=2)
    print(f"teacher: {correct(teacher, test_images, test_labels)} of {HELD_OUT}, "
          f"{sum(p.numel() for p in teacher.parameters())} parameters")
    print(f"student: {correct(student, test_images, test_labels)} of {HELD_OUT}, "
          f"{sum(p.numel() for p in student.parameters())} parameters")

    save_torchscript(student, folder / "digits.pt")
    save_onnx(student, folder / "digits.onnx")
    numpy.save(folder / "heldout_images.npy", test_images.numpy())
    numpy.save(folder / "heldout_labels.npy", test_labels.numpy().astype(numpy.uint8))
    # The saved file is what counts, one image at a time, as the compiled program sees them.
    saved = torch.jit.load(str(folder / "digits.pt"))
    with torch.no_grad():
        predictions = [int(saved(image[None]).argmax()) for image in test_images]
    right = sum(p == t for p, t in zip(predictions, test_labels.tolist()))
    (folder / "expected.json").write_text(json.dumps(
        {"torch": torch.__version__, "images": HELD_OUT, "correct": right, "accuracy": right / HELD_OUT,
         "predictions": predictions}) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
