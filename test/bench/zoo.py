#!/usr/bin/env python3
"""The models that speed is measured on, at full size, with random weights from a fixed seed.

usage: zoo.py FOLDER [NAME ...]     writes FOLDER/NAME.pt and FOLDER/NAME.onnx

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import pathlib
import sys
import warnings

import torch
import torchvision
import transformers
from torch import nn

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "numerics"))
from models import LastHiddenState, Logits, UNet  # noqa: E402


def deep_cnn():
    """A small deep network for 32x32 images, in batches."""
    widths, layers = (3, 128, 64, 64, 32), []
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()] + [nn.MaxPool2d(2)] * (i % 2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 512), nn.ReLU(), nn.Linear(512, 10))


def bert():
    return LastHiddenState(transformers.BertModel(transformers.BertConfig()))


def vit():
    model = torchvision.models.vit_b_16()
    nn.init.normal_(model.heads.head.weight, std=0.02)  # zeros otherwise, and nothing to compare
    return model


def tokens(length):
    return lambda: (torch.randint(0, 30000, (1, length)), torch.ones(1, length, dtype=torch.long))


def image(size, batch=1):
    return lambda: (torch.randn(batch, 3, size, size),)


# name: the module, its inputs, and what a reader of the results calls it
MODELS = {
    "resnet50": (torchvision.models.resnet50, image(224), "ResNet-50"),
    "resnet18": (torchvision.models.resnet18, image(224), "ResNet-18"),
    "mobilenet_v3_large": (torchvision.models.mobilenet_v3_large, image(224), "MobileNet-v3-large"),
    "alexnet": (torchvision.models.alexnet, image(224), "AlexNet"),
    "vgg16": (torchvision.models.vgg16, image(224), "VGG-16"),
    "unet": (lambda: UNet((32, 64, 128, 256)), image(256), "U-Net, 256x256"),
    "deepnn_b128": (deep_cnn, image(32, 128), "deep CNN, batch 128"),
    "mlp_b64": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
                lambda: (torch.randn(64, 1, 28, 28),), "perceptron 784-128-10, batch 64"),
    "bert_base_s128": (bert, tokens(128), "BERT-base, 128 tokens"),
    "gpt2_s64": (lambda: Logits(transformers.GPT2LMHeadModel(transformers.GPT2Config())), lambda: tokens(64)()[:1],
                 "GPT-2, 64 tokens"),
    "vit_b16": (vit, image(224), "ViT-B/16"),
    "lstm": (lambda: nn.LSTM(128, 256, 2, batch_first=True), lambda: (torch.randn(1, 64, 128),), "LSTM 2x256, 64 steps"),
}


def get(name):
    """The module in evaluation mode, and its inputs; the same in every process."""
    torch.manual_seed(0)
    make, inputs, _ = MODELS[name]
    model = make().eval()
    return model, inputs()


def save(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model, inputs = get(name)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(model, inputs, check_trace=False), folder / f"{name}.pt")
        torch.onnx.export(model, inputs, folder / f"{name}.onnx", opset_version=18, dynamo=True, external_data=False,
                          verbose=False)


if __name__ == "__main__":
    for model_name in sys.argv[2:] or MODELS:
        save(model_name, pathlib.Path(sys.argv[1]))
