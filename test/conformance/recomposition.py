#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Transformers as every exporter writes them: whether attention, norms and GELU are whole after the graph phase.

usage: recomposition.py [--form FORM ...] [--keep FOLDER] [--graphs-only] [--markdown] [NAME ...]
  NAME           parts of models' names, or =NAME for one; default: all
  --form         one of FORMS; default: all
  --keep         leaves files and graphs in FOLDER, and takes files that are there
  --graphs-only  does not run the models
  --markdown     prints the table of docs/recomposition.md

A model passes when its graph at -O2 has each attention, layer norm, RMS norm and GELU of the model as one Node and nothing that is a
part of one (softmax, erf, sqrt, rsqrt), and when its results are PyTorch's. An exporter that fails is told, and is no failure.
"""
import argparse
import contextlib
import dataclasses
import io
import logging
import os
import pathlib
import re
import sys
import tempfile
import warnings
from collections.abc import Callable

import torch
import torchvision
import transformers
from torch import nn

import more_transformers as more
import same_graph
from same_graph import models

WHOLE = ("attention", "layer_norm", "rms_norm", "gelu")
PARTS = ("softmax", "erf", "sqrt", "rsqrt")
FORMS = ("pt", "pt2", "pt2-core", "onnx", "onnx-script", "onnx-script-14")


@dataclasses.dataclass(frozen=True)
class Case:
    """A model and the number of Nodes of each kind that it is made of."""
    make: Callable
    inputs: Callable
    attention: int
    layer_norm: int = 0
    rms_norm: int = 0
    gelu: int = 0
    # Of the parts, what the model has beside the wholes.
    parts: tuple = ()

    def expected(self):
        return {kind: getattr(self, kind) for kind in WHOLE} | {part: self.parts.count(part) for part in PARTS}


class Decoded(nn.Module):
    """Encoder and decoder of a T5 model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, decoder_input_ids):
        return self.model(input_ids=input_ids, decoder_input_ids=decoder_input_ids, use_cache=False).logits


class MaskedLogits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


class Encoded(nn.Module):
    """The last state of an encoder of words without a mask, or of an image."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).last_hidden_state


def bert(attention):
    config = transformers.BertConfig(vocab_size=100, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
                                     attn_implementation=attention)
    return models.LastHiddenState(transformers.BertModel(config, add_pooling_layer=False))


def distilbert(attention):
    config = transformers.DistilBertConfig(vocab_size=100, dim=48, n_layers=2, n_heads=4, hidden_dim=96,
                                           attn_implementation=attention)
    return models.LastHiddenState(transformers.DistilBertModel(config))


def gpt2(attention, masked=False, **options):
    config = transformers.GPT2Config(vocab_size=100, n_positions=64, n_embd=48, n_layer=2, n_head=4, attn_implementation=attention,
                                     **options)
    return (MaskedLogits if masked else models.Logits)(transformers.GPT2LMHeadModel(config))


def vit(attention):
    config = transformers.ViTConfig(image_size=32, patch_size=8, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
                                    intermediate_size=96, attn_implementation=attention)
    return models.ImageLogits(transformers.ViTForImageClassification(config))


def t5_config(**options):
    return transformers.T5Config(vocab_size=100, d_model=32, d_ff=64, num_layers=2, num_heads=4, d_kv=8, **options)


def llama(attention, masked=False):
    config = transformers.LlamaConfig(vocab_size=100, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, attn_implementation=attention)
    return (MaskedLogits if masked else models.Logits)(transformers.LlamaForCausalLM(config))


def hf_swin():
    config = transformers.SwinConfig(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4)
    return Encoded(transformers.SwinModel(config, add_pooling_layer=False))


def swin(version):
    vision = torchvision.models.swin_transformer
    options = {"block": vision.SwinTransformerBlockV2, "downsample_layer": vision.PatchMergingV2} if version == 2 else {}
    return vision.SwinTransformer([2, 2], 16, [2, 2], [2, 4], [4, 4], num_classes=10, **options)


def words():
    return (torch.randint(0, 100, (1, 9)),)


def masked_words():
    mask = torch.ones(2, 9, dtype=torch.long)
    mask[0, 6:] = 0
    return torch.randint(0, 100, (2, 9)), mask


def images():
    return (torch.randn(2, 3, 32, 32),)


image = models.image
MODELS = {
    "bert-eager": Case(lambda: bert("eager"), masked_words, 2, layer_norm=5, gelu=2),
    "bert-sdpa": Case(lambda: bert("sdpa"), masked_words, 2, layer_norm=5, gelu=2),
    "distilbert-eager": Case(lambda: distilbert("eager"), masked_words, 2, layer_norm=5, gelu=2),
    "distilbert-sdpa": Case(lambda: distilbert("sdpa"), masked_words, 2, layer_norm=5, gelu=2),
    "gpt2-eager": Case(lambda: gpt2("eager"), words, 2, layer_norm=5, gelu=2),
    "gpt2-sdpa": Case(lambda: gpt2("sdpa"), words, 2, layer_norm=5, gelu=2),
    "gpt2-masked-eager": Case(lambda: gpt2("eager", True), masked_words, 2, layer_norm=5, gelu=2),
    "gpt2-masked-sdpa": Case(lambda: gpt2("sdpa", True), masked_words, 2, layer_norm=5, gelu=2),
    "gpt2-scaled": Case(lambda: gpt2("eager", True, scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True,
                                     activation_function="gelu"), masked_words, 2, layer_norm=5, gelu=2),
    "vit-eager": Case(lambda: vit("eager"), image(32), 2, layer_norm=5, gelu=2),
    "vit-sdpa": Case(lambda: vit("sdpa"), image(32), 2, layer_norm=5, gelu=2),
    "vit-torchvision": Case(lambda: torchvision.models.VisionTransformer(32, 8, 2, 4, 48, 96), image(32), 2, layer_norm=5, gelu=2),
    "t5-encoder": Case(lambda: models.LastHiddenState(transformers.T5EncoderModel(t5_config())), masked_words, 2, rms_norm=5),
    "t5": Case(lambda: Decoded(transformers.T5ForConditionalGeneration(t5_config())), lambda: words() + (torch.randint(0, 100, (1, 5)),),
               6, rms_norm=12),
    "t5-gated": Case(lambda: Decoded(transformers.T5ForConditionalGeneration(t5_config(feed_forward_proj="gated-gelu"))),
                     lambda: words() + (torch.randint(0, 100, (1, 5)),), 6, rms_norm=12, gelu=4),
    "llama-eager": Case(lambda: llama("eager"), words, 2, rms_norm=5),
    "llama-sdpa": Case(lambda: llama("sdpa"), words, 2, rms_norm=5),
    "llama-masked-eager": Case(lambda: llama("eager", True), masked_words, 2, rms_norm=5),
    "llama-masked-sdpa": Case(lambda: llama("sdpa", True), masked_words, 2, rms_norm=5),
    "swin": Case(hf_swin, images, 4, layer_norm=11, gelu=4),
    "swin-torchvision": Case(lambda: swin(1), images, 4, layer_norm=11, gelu=4),
    "swin-v2-torchvision": Case(lambda: swin(2), images, 4, layer_norm=11, gelu=4, parts=("sqrt",) * 8),
    "mistral-eager": Case(lambda: more.mistral("eager"), masked_words, 2, rms_norm=5),
    "mistral-sdpa": Case(lambda: more.mistral("sdpa"), masked_words, 2, rms_norm=5),
    "qwen2-eager": Case(lambda: more.qwen2("eager"), masked_words, 2, rms_norm=5),
    "qwen2-sdpa": Case(lambda: more.qwen2("sdpa"), masked_words, 2, rms_norm=5),
    "gemma-eager": Case(lambda: more.gemma("eager"), masked_words, 2, rms_norm=5, gelu=2),
    "gemma-sdpa": Case(lambda: more.gemma("sdpa"), masked_words, 2, rms_norm=5, gelu=2),
    "phi-eager": Case(lambda: more.phi("eager"), masked_words, 2, layer_norm=3, gelu=2),
    "phi-sdpa": Case(lambda: more.phi("sdpa"), masked_words, 2, layer_norm=3, gelu=2),
    "opt-eager": Case(lambda: more.opt("eager"), masked_words, 2, layer_norm=5),
    "opt-sdpa": Case(lambda: more.opt("sdpa"), masked_words, 2, layer_norm=5),
    "bloom": Case(more.bloom, masked_words, 2, layer_norm=6, gelu=2),
    "roberta-eager": Case(lambda: more.roberta("eager"), masked_words, 2, layer_norm=5, gelu=2),
    "roberta-sdpa": Case(lambda: more.roberta("sdpa"), masked_words, 2, layer_norm=5, gelu=2),
    "deit-eager": Case(lambda: more.deit("eager"), images, 2, layer_norm=5, gelu=2),
    "deit-sdpa": Case(lambda: more.deit("sdpa"), images, 2, layer_norm=5, gelu=2),
    "clip-text-eager": Case(lambda: more.clip_text("eager"), masked_words, 2, layer_norm=5),
    "clip-text-sdpa": Case(lambda: more.clip_text("sdpa"), masked_words, 2, layer_norm=5),
    "clip-vision-eager": Case(lambda: more.clip_vision("eager"), images, 2, layer_norm=6),
    "clip-vision-sdpa": Case(lambda: more.clip_vision("sdpa"), images, 2, layer_norm=6),
    "whisper-eager": Case(lambda: more.whisper("eager"), more.sound, 6, layer_norm=12, gelu=6),
    "whisper-sdpa": Case(lambda: more.whisper("sdpa"), more.sound, 6, layer_norm=12, gelu=6),
}


def get(name):
    """The model with Parameters as after a training, its inputs, and what PyTorch makes of them."""
    torch.manual_seed(0)
    case = MODELS[name]
    model, inputs = case.make().eval(), case.inputs()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() > 1 and parameter.min() == parameter.max():
                parameter += 0.1 * torch.randn_like(parameter)
        return model, inputs, model(*inputs).numpy()


@contextlib.contextmanager
def silence():
    """What exporters print, some of it from C++, goes nowhere."""
    sys.stdout.flush()
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for descriptor, copy in enumerate(kept, 1):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)


def write(model, inputs, form, path):
    with warnings.catch_warnings(), torch.no_grad(), silence(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            if form == "pt":
                torch.jit.trace(model, inputs, check_trace=False).save(str(path))
            elif form.startswith("pt2"):
                program = torch.export.export(model, inputs)
                torch.export.save(program.run_decompositions() if form == "pt2-core" else program, path)
            elif form == "onnx":
                torch.onnx.export(model, inputs, str(path), dynamo=True, external_data=False, verbose=False)
            else:
                opset = 14 if form.endswith("14") else 17
                # The older exporter has no form for the attention that eager PyTorch fuses.
                torch.backends.mha.set_fastpath_enabled(False)
                torch.onnx.export(model, inputs, str(path), dynamo=False, opset_version=opset)
        finally:
            logging.disable(logging.NOTSET)
            torch.backends.mha.set_fastpath_enabled(True)


def census(lines):
    """How many Nodes of each kind a graph has."""
    return {kind: sum(bool(re.search(rf"graven\.{kind}\b", line)) for line in lines) for kind in WHOLE + PARTS}


@dataclasses.dataclass(frozen=True)
class Result:
    """Empty counts where `said` is why there is no graph."""
    counts: dict
    error: float
    said: str = ""
    exported: bool = True

    def passes(self, case):
        return not self.exported or (self.counts == case.expected() and self.error <= same_graph.TOLERANCE)


def measure(name, form, folder, graven, run=True):
    model, inputs, expected = get(name)
    path = folder / f"{name}.{form}"
    try:
        if not path.exists():
            write(model, inputs, form, path)
    except Exception as error:  # noqa: BLE001  whatever an exporter says of its own
        return Result({}, 0, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}", False)
    graph = same_graph.graph_of(path, inputs, graven)
    if isinstance(graph, str):
        return Result({}, 0, graph.splitlines()[0])
    return Result(census(graph), same_graph.error_of(path, inputs, expected) if run else 0)


def cell(case, result):
    """Of the table: what differs from what is expected."""
    if not result.exported:
        return "no export"
    if not result.counts:
        return result.said
    wrong = [f"{kind} {count} (not {case.expected()[kind]})" for kind, count in result.counts.items() if count != case.expected()[kind]]
    return ", ".join(wrong) or ("all" if result.passes(case) else f"error {result.error:.1e}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--form", action="append", choices=FORMS)
    parser.add_argument("--keep")
    parser.add_argument("--graphs-only", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    forms = options.form or FORMS
    names = [name for name in MODELS if not options.names or any(n[1:] == name if n[0] == "=" else n in name for n in options.names)]
    failed = exported = 0
    if options.markdown:
        print(f"| model | {' | '.join(WHOLE)} | {' | '.join(forms)} | greatest error |\n|{'---|' * (len(WHOLE) + len(forms) + 2)}")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        for name in names:
            case = MODELS[name]
            results = {}
            for form in forms:
                results[form] = result = measure(name, form, folder, same_graph.BUILD / "bin/graven", not options.graphs_only)
                exported += result.exported
                failed += not result.passes(case)
                if not options.markdown:
                    print(f"{name:20} {form:15} {cell(case, result)} {result.error:.1e} {'' if result.exported else result.said}", flush=True)
            if options.markdown:
                cells = [str(getattr(case, kind) or "") for kind in WHOLE] + [cell(case, result) for result in results.values()]
                error = max(result.error for result in results.values())
                print(f"| {name} | {' | '.join(cells)} | {error:.1e} |", flush=True)
    print(f"{exported - failed} of {exported} files of {len(names)} models have all whole")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
