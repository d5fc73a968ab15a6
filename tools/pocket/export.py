"""Export: a checkpoint becomes a Q8_0 GGUF that llama.cpp loads as architecture "llama"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import numpy.typing as npt
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType

from tools.pocket.roster import CONTEXT_LENGTH, HEAD_WIDTH, NORM_EPSILON, ROPE_BASE, Member
from tools.pocket.vocabulary import CHAT_TEMPLATE, Vocabulary

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

    from tools.pocket.card import Trained

Array = npt.NDArray[np.float32]
_TENSORS = {
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
    "attention_norm": "attn_norm",
    "feed_norm": "ffn_norm",
}


def _interleave(weight: Array) -> Array:
    """Reorder rows from half-and-half RoPE pairs to llama.cpp's neighbouring pairs."""
    rows, columns = weight.shape
    halves = weight.reshape(rows // HEAD_WIDTH, 2, HEAD_WIDTH // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _token_type(pieces: SentencePieceProcessor, index: int) -> TokenType:
    if pieces.is_byte(index):
        return TokenType.BYTE
    if pieces.is_unknown(index):
        return TokenType.UNKNOWN
    return TokenType.CONTROL if pieces.is_control(index) else TokenType.NORMAL


def _write_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    pieces, count = vocabulary.pieces, vocabulary.pieces.vocab_size()
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(index).encode() for index in range(count)])
    writer.add_token_scores([pieces.get_score(index) for index in range(count)])
    writer.add_token_types([_token_type(pieces, index) for index in range(count)])
    writer.add_bos_token_id(vocabulary.bos)
    writer.add_eos_token_id(vocabulary.end)
    writer.add_eot_token_id(vocabulary.end)
    writer.add_unk_token_id(pieces.unk_id())
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _write_shape(writer: GGUFWriter, member: Member, vocabulary_size: int) -> None:
    writer.add_name(member.name)
    writer.add_description(f"Quorate pocket model, speciality: {', '.join(member.speciality)}")
    writer.add_license("Apache-2.0")
    writer.add_context_length(CONTEXT_LENGTH)
    writer.add_embedding_length(member.width)
    writer.add_block_count(member.layers)
    writer.add_feed_forward_length(member.feed_forward)
    writer.add_head_count(member.heads)
    writer.add_head_count_kv(member.heads)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_rope_dimension_count(HEAD_WIDTH)
    writer.add_vocab_size(vocabulary_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add(writer: GGUFWriter, name: str, weight: Array) -> None:
    name = f"{name}.weight"
    if weight.ndim == 1:
        writer.add_tensor(name, weight)
        return
    kind = GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(weight, kind), raw_dtype=kind)


def _add_all(writer: GGUFWriter, network: dict[str, torch.Tensor]) -> None:
    for key, tensor in network.items():
        weight: Array = tensor.float().numpy()
        if not key.startswith("blocks."):
            _add(
                writer,
                {"embedding": "token_embd", "norm": "output_norm"}[key.split(".")[0]],
                weight,
            )
            continue
        _, layer, part, _ = key.split(".")
        if part in ("query", "key"):
            weight = _interleave(weight)
        _add(writer, f"blk.{layer}.{_TENSORS[part]}", weight)


def export(member: Member, vocabulary: Vocabulary, checkpoint: Path, path: Path) -> Trained:
    """Write the member's GGUF, head tied (no output.weight); say what its training spent."""
    state = torch.load(checkpoint, map_location="cpu")
    network: dict[str, torch.Tensor] = state["network"]
    writer = GGUFWriter(None, "llama")
    _write_shape(writer, member, vocabulary.pieces.vocab_size())
    _write_vocabulary(writer, vocabulary)
    _add_all(writer, network)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    steps, tokens, seconds, number = state["progress"]
    return {
        "seed": member.seed,
        "layers": member.layers,
        "width": member.width,
        "parameters": sum(tensor.numel() for tensor in network.values()),
        "steps": steps + sum(phase.steps for phase in member.phases[:number]),
        "tokens": tokens,
        "minutes": round(seconds / 60, 1),
        "bytes": path.stat().st_size,
    }
