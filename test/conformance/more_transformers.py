"""Transformers beside those of recomposition.py, of two layers with random weights.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import torch
import transformers
from torch import nn

SIZES = {"vocab_size": 100, "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
SHARED = SIZES | {"num_key_value_heads": 2}


class Hidden(nn.Module):
    """The last state of an encoder of words, with a mask."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Decoded(nn.Module):
    """What a decoder of words says, with a mask and without a cache."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


class Pooled(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).pooler_output


class Heard(nn.Module):
    """Encoder and decoder of Whisper."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_features, decoder_input_ids):
        return self.model(input_features=input_features, decoder_input_ids=decoder_input_ids, use_cache=False).last_hidden_state


def mistral(attention):
    return Decoded(transformers.MistralForCausalLM(transformers.MistralConfig(**SHARED, sliding_window=4, attn_implementation=attention)))


def qwen2(attention):
    return Decoded(transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**SHARED, attn_implementation=attention)))


def gemma(attention):
    return Decoded(transformers.GemmaForCausalLM(transformers.GemmaConfig(**SHARED, head_dim=12, attn_implementation=attention)))


def phi(attention):
    return Decoded(transformers.PhiForCausalLM(transformers.PhiConfig(**SIZES, attn_implementation=attention)))


def opt(attention):
    config = transformers.OPTConfig(vocab_size=100, hidden_size=48, ffn_dim=96, num_hidden_layers=2, num_attention_heads=4,
                                    word_embed_proj_dim=48, max_position_embeddings=64, attn_implementation=attention)
    return Decoded(transformers.OPTForCausalLM(config))


def bloom():
    """Its positions are added to the scores (alibi)."""
    return Decoded(transformers.BloomForCausalLM(transformers.BloomConfig(vocab_size=100, hidden_size=48, n_layer=2, n_head=4)))


def roberta(attention):
    config = transformers.RobertaConfig(**SIZES, max_position_embeddings=64, attn_implementation=attention)
    return Hidden(transformers.RobertaModel(config, add_pooling_layer=False))


def deit(attention):
    config = transformers.DeiTConfig(image_size=32, patch_size=8, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
                                     intermediate_size=96, attn_implementation=attention)
    return Pooled(transformers.DeiTModel(config))


def clip_text(attention):
    config = transformers.CLIPTextConfig(**SIZES, max_position_embeddings=16, attn_implementation=attention)
    return Hidden(transformers.CLIPTextModel(config))


def clip_vision(attention):
    config = transformers.CLIPVisionConfig(hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                                           image_size=32, patch_size=8, attn_implementation=attention)
    return Pooled(transformers.CLIPVisionModel(config))


def whisper(attention):
    config = transformers.WhisperConfig(vocab_size=100, d_model=48, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                                        decoder_attention_heads=4, encoder_ffn_dim=96, decoder_ffn_dim=96, num_mel_bins=8,
                                        max_source_positions=20, max_target_positions=16, pad_token_id=0, bos_token_id=1,
                                        eos_token_id=2, decoder_start_token_id=1, attn_implementation=attention)
    return Heard(transformers.WhisperModel(config))


def sound():
    return torch.randn(1, 8, 40), torch.randint(0, 100, (1, 5))
