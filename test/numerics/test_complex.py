"""Complex tensors within a model, and Fourier transforms, against PyTorch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch
from torch import nn

import graven as package
from saving import saved

pytestmark = [pytest.mark.filterwarnings(f"ignore::{category}") for category in
              ("DeprecationWarning", "FutureWarning", "UserWarning", "torch.jit.TracerWarning")]


class Case(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y):
        return self.function(torch.view_as_complex(x), torch.view_as_complex(y))


def parts(z):
    return torch.view_as_real(z)


CASES = {
    "products": lambda z, w: (parts(z * w), parts(z / w), parts(z @ w.transpose(0, 1)), parts(z * 2.5), parts(z / 2)),
    "sums": lambda z, w: (parts(z + w), parts(z - w), parts(z + 1.5), parts(2.0 - z), z.sum().real, z.mean(0).imag),
    "einsum": lambda z, w: parts(torch.einsum("ij,kj->ik", z, w)),
    "of one": lambda z, w: (z.abs(), z.angle(), parts(z.conj().resolve_conj()), parts(torch.exp(z)), parts(z**2), parts(-w)),
    "movement": lambda z, w: (parts(torch.cat([z, w], 1)), parts(z.reshape(2, 6).t()[1:3]), parts(torch.stack([z, w])),
                              parts(z.unsqueeze(1).expand(3, 2, 4)), parts(z.flip(0).chunk(2, 1)[1])),
    "made": lambda z, w: (parts(torch.complex(z.real, w.imag)), parts(torch.polar(z.abs(), w.angle()))),
    "fft": lambda z, w: (parts(torch.fft.fft(z)), parts(torch.fft.ifft(w, 7, dim=0)), parts(torch.fft.fft2(z)),
                         parts(torch.fft.ifftn(w, norm="ortho")), torch.fft.irfft(z, 6), torch.fft.irfft2(w, (3, 5))),
    "f64": lambda z, w: (parts(torch.fft.fft(torch.complex(z.real.double(), w.imag.double()))),
                         torch.fft.irfft(torch.fft.rfft(w.real.double()), 4)),
    "ihfft": lambda z, w: (parts(torch.fft.ihfft(z.real).resolve_conj()),
                           parts(torch.fft.ihfft2(w.imag, (4, 5), norm="ortho").resolve_conj()),
                           parts(torch.fft.ihfftn(z.real, norm="forward").resolve_conj())),
    "rfft": lambda z, w: (parts(torch.fft.rfft(z.real)), parts(torch.fft.rfft2(w.imag, (4, 5), norm="forward")),
                          parts(torch.fft.rfftn(z.real * w.real)), parts(torch.fft.fftshift(torch.fft.fft(z.real), 1))),
}


def leaves(value):
    return [value] if isinstance(value, torch.Tensor) else list(value)


def check(module, inputs):
    with torch.no_grad():
        expected = leaves(module(*inputs))
    got = package.compile(saved(module, inputs), threads=1, opt_level=1)(*[x.numpy() for x in inputs])
    got = got if isinstance(got, list) else [got]
    assert len(got) == len(expected)
    for a, b in zip(got, expected):
        assert a.shape == tuple(b.shape)
        limit = 1e-13 if b.dtype == torch.float64 else 1e-5
        assert np.abs(a - b.numpy()).max() <= limit * np.abs(b.numpy()).max()


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    torch.manual_seed(0)
    check(Case(CASES[name]), (torch.rand(3, 4, 2) + 0.1, torch.rand(3, 4, 2) + 0.1))


class Rotary(nn.Module):
    """Positions by complex factors, in a buffer."""

    def __init__(self):
        super().__init__()
        angles = torch.outer(torch.arange(5.0), 1 / 100 ** (torch.arange(0, 6, 2) / 6))
        self.register_buffer("factors", torch.polar(torch.ones_like(angles), angles))

    def forward(self, x):
        z = torch.view_as_complex(x.reshape(x.size(0), x.size(1), 3, 2))
        return torch.view_as_real(z * self.factors[: x.size(1)]).flatten(2)


class Spectrogram(nn.Module):
    """To spectra, and back."""

    def __init__(self, width, **options):
        super().__init__()
        self.register_buffer("window", torch.hann_window(width))
        self.options = dict(n_fft=16, hop_length=4, win_length=width, **options)

    def forward(self, x):
        z = torch.stft(x, window=self.window, return_complex=True, **self.options)
        options = {key: value for key, value in self.options.items() if key != "pad_mode"}
        back = torch.istft(z * 2, window=self.window, length=x.size(-1), **options)
        return z.abs() ** 2, torch.view_as_real(z), back


def test_complex_buffers():
    check(Rotary(), (torch.rand(2, 4, 6),))


@pytest.mark.parametrize("module, shape", [
    (Spectrogram(16), (2, 60)), (Spectrogram(12, normalized=True, pad_mode="constant"), (60,))])
def test_short_time_transforms(module, shape):
    torch.manual_seed(0)
    check(module, (torch.rand(shape),))


class Written(nn.Module):
    """What complex tensors share with real ones sees writes on either side."""

    def forward(self, x):
        x = x * 1
        z = torch.view_as_complex(x)
        torch.view_as_real(z).mul_(2)
        z.real.add_(1)
        x[0] = 3
        return torch.view_as_real(z * z), x


def test_writes_are_shared():
    check(Written(), (torch.rand(3, 2),))


class WrittenCopy(nn.Module):
    def forward(self, x):
        z = torch.view_as_complex(x) * 2
        torch.view_as_real(z).mul_(2)
        return z.abs()


def test_a_written_copy_is_refused():
    with pytest.raises(package.Error, match="a complex tensor is read after what shares its memory"):
        package.compile(saved(WrittenCopy(), (torch.rand(3, 2),)), threads=1)


class Writes(nn.Module):
    """In place: into slices of new complex tensors, by complex, real and plain numbers."""

    def forward(self, x):
        z, c = torch.zeros(2, 3, 8, dtype=torch.complex64), torch.complex(x, x.flip(-1))
        z[:, 1] = c[:, 0]
        z[:, :, 2:4] += c[:, :, 0:2]
        z[0] *= c[1]
        z[1].mul_(0.5)
        z[:, 2, 0] = 1.0
        z += x
        kept = torch.where(x > 0, z, torch.zeros_like(z))
        longer = torch.cat([kept, c.new_zeros(2, 1, 8)], 1)
        longer[:, :, 1:3] = 0
        both = torch.stack([c, x.to(torch.complex64)]).sum(0)
        padded = nn.functional.pad(torch.exp(1j * x) + (0.5 - 2j) * c, (1, 2))
        return (torch.view_as_real(longer), (torch.ones_like(c) * c).abs(), torch.view_as_real(padded), both.imag,
                torch.view_as_real(c.reciprocal()), torch.view_as_real(torch.log(c)))


class Filter(nn.Module):
    """A filter on frequencies, and phases: also of those that have no imaginary part."""

    def forward(self, x):
        spectrum = torch.fft.rfft2(x)
        kept = torch.zeros_like(spectrum)
        kept[:, :2, :2] = spectrum[:, :2, :2]
        windowed = x * torch.hamming_window(8) + torch.hann_window(8, periodic=False) * torch.kaiser_window(8)
        return (torch.fft.irfft2(kept, s=(3, 8)), torch.fft.rfft(x).angle(), windowed, torch.fft.fftfreq(7, 0.5),
                torch.fft.ifft2(torch.fft.fft2(x)).real, torch.fft.rfftfreq(6), torch.blackman_window(5),
                torch.bartlett_window(6), torch.linalg.solve(x[:, :, :3], x[:, :, 3:]), torch.linalg.det(x[:, :, :3]))


WAYS = ["script", "trace", "export", "core"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", [Writes, Filter], ids=lambda m: m.__name__)
def test_ways(model, way, tmp_path):
    torch.manual_seed(0)
    inputs = (torch.randn(2, 3, 8),)
    if way in ("script", "trace"):
        source = saved(model(), inputs if way == "trace" else None)
    else:
        program = torch.export.export(model(), inputs)
        source = tmp_path / "m.pt2"
        torch.export.save(program.run_decompositions() if way == "core" else program, source)
    expected = model()(*inputs)
    got = package.compile(source, threads=1, inputs={"x": "f32[2,3,8]"})(inputs[0].numpy())
    for a, b in zip(got, expected, strict=True):
        assert a.shape == tuple(b.shape)
        assert np.abs(a - b.numpy()).max() <= 1e-5 * np.abs(b.numpy()).max()


def test_exported():
    program = torch.export.export(Rotary(), (torch.rand(2, 4, 6),))
    x = torch.rand(2, 4, 6)
    got = package.export(program, (x,)).compile(threads=1, opt_level=1)(x.numpy())
    assert np.abs(got - program.module()(x).numpy()).max() <= 1e-6


@pytest.mark.parametrize("function, message", [
    (lambda z, w: z * w, "returns a complex tensor, which is no output of a graph; return torch.view_as_real of it"),
    (lambda z, w: parts(torch.linalg.inv(z[:, :3])), "aten::linalg_inv: complex tensors are not supported here"),
    (lambda z, w: z == w, "aten::eq: complex, packed or nested tensors are not supported here"),
    (lambda z, w: z.real.clone().copy_(w), "aten::copy_: a complex tensor is written to a real one"),
])
def test_refusals(function, message):
    with pytest.raises(package.Error, match=message):
        package.compile(saved(Case(function), (torch.rand(3, 4, 2), torch.rand(3, 4, 2))), threads=1)
