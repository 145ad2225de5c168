"""The models that Graven promises to compile, with random weights, at sizes that a test can afford: inputs are small,
and what only makes a model longer or wider is cut, but each kind of layer is there, with its real channels where the
choice of kernels depends on them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import dataclasses
import functools
from collections.abc import Callable

import torch
import torchvision
import transformers
from torch import nn


class UNet(nn.Module):
    """Encoder and decoder with concatenated skips (Ronneberger et al., 2015)."""

    def __init__(self, widths=(16, 32, 64)):
        super().__init__()

        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                                 nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

        self.down = nn.ModuleList([block(i, o) for i, o in zip((3, *widths), widths)])
        self.pool = nn.MaxPool2d(2)
        back = list(zip(widths[:0:-1], widths[-2::-1]))
        self.up = nn.ModuleList([nn.ConvTranspose2d(i, o, 2, 2) for i, o in back])
        self.merge = nn.ModuleList([block(i, o) for i, o in back])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = skips.pop()
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat([up(x), skips.pop()], dim=1))
        return self.head(x)


class LastHiddenState(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids, use_cache=False).logits


class ImageLogits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values=pixel_values).logits


def small_classifier(model):
    """The 4096 wide linear layers of VGG and AlexNet, which are nearly all of their weights, become 64 wide."""
    width = None
    for i, layer in enumerate(model.classifier):
        if isinstance(layer, nn.Linear):
            model.classifier[i] = nn.Linear(width or layer.in_features, 64)
            width = 64
    return model


def vgg16():
    return small_classifier(torchvision.models.vgg16(init_weights=False))


def bert():
    return LastHiddenState(transformers.BertModel(transformers.BertConfig(
        vocab_size=200, hidden_size=96, num_hidden_layers=2, num_attention_heads=4, intermediate_size=192)))


def distilbert():
    return LastHiddenState(transformers.DistilBertModel(transformers.DistilBertConfig(
        vocab_size=200, dim=96, n_layers=2, n_heads=4, hidden_dim=192)))


def gpt2():
    return Logits(transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=200, n_positions=64, n_embd=96, n_layer=2, n_head=4)))


def vit():
    return ImageLogits(transformers.ViTForImageClassification(transformers.ViTConfig(
        image_size=64, hidden_size=96, num_hidden_layers=2, num_attention_heads=4, intermediate_size=192)))


def image(size):
    return lambda: (torch.randn(1, 3, size, size),)


def tokens():
    mask = torch.ones(1, 24, dtype=torch.long)
    mask[:, 20:] = 0
    return torch.randint(0, 200, (1, 24)), mask


@dataclasses.dataclass(frozen=True)
class Case:
    make: Callable
    inputs: Callable
    scripts: bool  # torch.jit.script understands it


TORCHVISION = {
    "resnet18": Case(torchvision.models.resnet18, image(64), True),
    "resnet50": Case(torchvision.models.resnet50, image(64), True),
    "mobilenet_v3_large": Case(torchvision.models.mobilenet_v3_large, image(64), True),
    "vgg16": Case(vgg16, image(64), True),
    "alexnet": Case(lambda: small_classifier(torchvision.models.alexnet()), image(96), True),
    "densenet121": Case(lambda: torchvision.models.DenseNet(32, (2, 3, 2, 2), 64), image(64), True),
    "squeezenet": Case(torchvision.models.squeezenet1_1, image(64), True),
    "unet": Case(UNet, image(32), False),
}
TRANSFORMERS = {
    "bert": Case(bert, tokens, False),
    "distilbert": Case(distilbert, tokens, False),
    "gpt2": Case(gpt2, lambda: tokens()[:1], False),
    "vit": Case(vit, image(64), False),
}
MODELS = TORCHVISION | TRANSFORMERS


@functools.lru_cache(maxsize=1)
def get(name):
    """The model in evaluation mode, its inputs, and what PyTorch makes of them, as arrays."""
    torch.manual_seed(0)
    case = MODELS[name]
    model = case.make().eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as after a training, not the identity
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.normal_(layer.bias, std=0.1)
    inputs = case.inputs()
    with torch.no_grad():
        return model, inputs, model(*inputs).numpy()
