"""One code for a range of sequence lengths and of image sizes: small models against PyTorch at lengths all over the range,
sizes with code of their own, and what is refused.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from saving import exported

functional = nn.functional


class Mixer(nn.Module):
    """Rows, products over the length, softmax and means along it."""

    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(20, 48), nn.LayerNorm(48), nn.Linear(48, 7)

    def forward(self, x):
        y = self.norm(functional.gelu(self.a(x)))
        weights = (y @ y.transpose(-1, -2) / 7).softmax(-1)
        return self.b(weights @ y), y.mean(1), y.amax(1), y.sum(1) / x.shape[1] ** 0.5, y.argmax(1)


class Places(nn.Module):
    """Positions, pieces, the last element, the number of elements, and turning around."""

    def __init__(self):
        super().__init__()
        self.register_buffer("places", torch.randn(1, 64, 12))
        self.first = nn.Parameter(torch.randn(1, 1, 12))

    def forward(self, x):
        x = x + self.places[:, : x.shape[1]]
        whole = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1)
        return (whole, x[:, -1], x[:, 1:], x[:, ::2], x.flip(1), torch.cat([x, x[:, :3]], 1), x.cumsum(1),
                functional.pad(x, (0, 0, 2, 1), value=3.0), x.reshape(x.shape[0] * x.shape[1], 3, 4),
                x.topk(3, 1).values, torch.arange(x.shape[1]) * 2)


class Images(nn.Module):
    """A small convolution network for any image."""

    def __init__(self):
        super().__init__()
        self.c, self.norm = nn.Conv2d(3, 24, 3, padding=1), nn.BatchNorm2d(24)
        self.d, self.e = nn.Conv2d(24, 32, 3, stride=2, padding=1), nn.Conv2d(32, 32, 5, padding=2, groups=32)
        self.f, self.groups = nn.Linear(32, 10), nn.GroupNorm(4, 32)

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(self.norm(self.c(x))), 3, 2, 1)
        x = torch.relu(self.e(torch.relu(self.d(x))))
        y = self.groups(functional.avg_pool2d(x, 2))
        return self.f(functional.adaptive_avg_pool2d(x, 1).flatten(1)), y


class Decoder(nn.Module):
    """Down and up again, by transposed convolutions and by resampling."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 16, 4, 2, 1), nn.ConvTranspose2d(16, 8, 4, 2, 1)
        self.last = nn.Conv2d(16, 4, 3, padding=1, padding_mode="zeros")

    def forward(self, x):
        low = functional.silu(self.down(x))
        smooth = functional.interpolate(low[:, :8], scale_factor=2.0, mode="bilinear")
        return self.last(torch.cat([self.up(low), smooth], 1)), functional.interpolate(low, scale_factor=2.0)


class Steps(nn.Module):
    def __init__(self, both):
        super().__init__()
        self.lstm, self.head = nn.LSTM(16, 24, 1, batch_first=True, bidirectional=both), nn.Linear(48 if both else 24, 5)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        return self.head(y), h


def compiled(model, inputs, axes, dims):
    import graven

    with warnings.catch_warnings():
        warnings.simplefilter("error", graven.Warning if hasattr(graven, "Warning") else UserWarning)
        return graven.compile(exported(model, inputs, axes), dims=dims, threads=1)


def compare(model, code, given, bound=3e-6):
    with torch.no_grad():
        wanted = model(*given)
    wanted = [x.numpy() for x in (wanted if isinstance(wanted, (tuple, list)) else (wanted,))]
    answers = []
    for threads in (1, 2):
        code.threads = threads
        got = code(*[x.numpy() for x in given])
        answers.append(got if isinstance(got, (tuple, list)) else (got,))
    for one, two, right in zip(*answers, wanted, strict=True):
        assert one.shape == right.shape
        assert np.array_equal(one, two)
        if right.size:
            assert np.abs(one - right).max() <= bound * max(1, np.abs(right).max())


ROWS = {"x": {1: "seq"}}
BOTH = {"x": {0: "batch", 1: "seq"}}
IMAGE = {"x": {2: "height", 3: "width"}}


@pytest.mark.parametrize("make, width, axes, dims", [
    (Mixer, 20, ROWS, {"seq": "1..64"}),
    (Mixer, 20, BOTH, {"batch": "1..", "seq": "1..64"}),
    (Mixer, 20, ROWS, {"seq": "16,33,1..64"}),
    (Places, 12, ROWS, {"seq": "3..64"}),
    (lambda: Steps(False), 16, ROWS, {"seq": "1..20"}),
    (lambda: Steps(True), 16, ROWS, {"seq": "1..20"}),
], ids=["rows", "batches", "named", "places", "lstm", "both_ways"])
def test_lengths(make, width, axes, dims):
    torch.manual_seed(0)
    model = make().eval()
    code = compiled(model, (torch.randn(1, 9, width),), axes, dims)
    least, most = map(int, dims["seq"].split(",")[-1].split(".."))
    for length in sorted({least, least + 1, 7, 16, 17, 33, most - 1, most} & set(range(least, most + 1))):
        for batch in (1, 3) if "batch" in dims else (1,):
            compare(model, code, (torch.randn(batch, length, width),))


@pytest.mark.parametrize("make, step", [(Images, 1), (Decoder, 2)], ids=["images", "decoder"])
def test_image_sizes(make, step):
    torch.manual_seed(0)
    model = make().eval()
    code = compiled(model, (torch.randn(1, 3, 32, 40),), IMAGE, {"height": "16..72", "width": "64,17..64"} if step == 1 else
                    {"height": "16..72", "width": "18..64"})
    for height, width in ((16, 18), (17, 17), (33, 45), (72, 64), (71, 23), (40, 64)):
        compare(model, code, (torch.randn(1, 3, height // step * step, max(18, width // step * step) if step == 2 else width),))


class Resizes(nn.Module):
    """To the size of another image, and by factors along the corners."""

    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3, 2, 1)

    def forward(self, x):
        y, size = self.c(x), (x.size(2), x.size(3))
        fixed = y[:, :, :1, :1].expand(-1, -1, 5, 7).cumsum(3)
        return (functional.interpolate(y, size=size, mode="bilinear"), functional.interpolate(y, size=size, mode="nearest"),
                functional.interpolate(y, size=size, mode="bilinear", align_corners=True),
                functional.interpolate(y, scale_factor=[2.0, 2.0], mode="bilinear", align_corners=True),
                functional.interpolate(y.double(), size=[x.size(2), 9], mode="bilinear"),
                functional.interpolate(fixed, size=size, mode="bilinear"), functional.interpolate(x, size=[6, 6]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_resizes_to_other_images(tmp_path):
    import graven

    torch.manual_seed(0)
    scripted = torch.jit.script(Resizes().eval())
    scripted.save(tmp_path / "m.pt")
    code = graven.compile(tmp_path / "m.pt", inputs={"x": "f32[1,3,h,w]"}, dims={"h": "2..40", "w": "1..33"}, threads=1)
    for height, width in ((2, 1), (3, 2), (7, 33), (40, 16), (39, 31), (40, 33), (12, 9)):
        compare(scripted, code, (torch.randn(1, 3, height, width),))


def test_bert():
    transformers = pytest.importorskip("transformers")

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            config = transformers.BertConfig(vocab_size=99, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
                                             intermediate_size=128, max_position_embeddings=100)
            config._attn_implementation = "eager"
            self.bert = transformers.BertModel(config)

        def forward(self, ids, mask):
            return self.bert(ids, attention_mask=mask, return_dict=False)

    def tokens(batch, length):
        mask = (torch.rand(batch, length) > 0.3).long()
        mask[:, 0] = 1
        return torch.randint(0, 99, (batch, length)), mask

    torch.manual_seed(0)
    model = Bert().eval()
    axes = {"ids": {0: "batch", 1: "seq"}, "mask": {0: "batch", 1: "seq"}}
    code = compiled(model, tokens(2, 9), axes, {"batch": "1..8", "seq": "64,1..100"})
    for length in (1, 7, 64, 99, 100):
        for batch in (1, 3):
            compare(model, code, tokens(batch, length))


def test_refusals():
    import graven

    torch.manual_seed(0)
    model = exported(Mixer().eval(), (torch.randn(1, 9, 20),), ROWS)
    code = graven.compile(model, dims={"seq": "2..64"}, threads=1)
    for length, words in ((1, "expected seq from 2 to 64, got 1"), (65, "expected seq from 2 to 64, got 65")):
        with pytest.raises(graven.Error, match=words):
            code(np.zeros((1, length, 20), np.float32))

    class Counting(nn.Module):
        """How many elements a window has at the end is known for one length only."""

        def forward(self, x):
            return functional.avg_pool1d(x, 3, 2, 1, count_include_pad=False)

    along = exported(Counting(), (torch.randn(1, 20, 9),), {"x": {2: "seq"}})
    with pytest.raises(graven.Error, match=r"GRV0207\].*'graven.avg_pool' counts the taps of windows at the end of a symbol"):
        graven.compile(along, dims={"seq": "1..200"})
