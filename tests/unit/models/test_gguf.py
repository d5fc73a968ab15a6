"""Model files: whole ones are described, damaged ones are told apart."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import gguf as reference
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate import models
from quorate.config import ModelSettings
from quorate.errors import ModelUnusable, UnknownModel
from quorate.models import gguf

POCKET = models.pocket_models()["abacus"]


def broken(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelUnusable) as caught:
        gguf.read_header(path)
    assert str(path) in caught.value.message
    return caught.value.message


def test_every_pocket_model_is_described_as_the_reference_reader_does() -> None:
    for name, path in models.pocket_models().items():
        header = gguf.read_header(path)
        other = reference.GGUFReader(str(path))
        assert header.name == name
        assert header.parameters == sum(tensor.n_elements for tensor in other.tensors)
        assert header.vocabulary_tokens == len(other.fields["tokenizer.ggml.tokens"].data)
        assert (header.architecture, header.quantization) == ("llama", "Q8_0")
        assert header.file_bytes == path.stat().st_size
        assert "<|assistant|>" in header.chat_template


def test_pocket_models_share_a_vocabulary() -> None:
    ids = {gguf.read_header(path).vocabulary_id for path in models.pocket_models().values()}
    assert len(ids) == 1


def test_every_known_tensor_type_has_the_reference_size() -> None:
    for kind, (name, block, size) in gguf.TENSOR_TYPES.items():
        known = reference.GGMLQuantizationType(kind)
        assert known.name == name
        assert reference.GGML_QUANT_SIZES[known] == (block, size)


def test_arrays_and_numbers_of_all_types_are_walked_over(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    writer = reference.GGUFWriter(str(path), "test")
    writer.add_uint8("a", 1)
    writer.add_int64("b", -1)
    writer.add_float64("c", 0.5)
    writer.add_bool("d", val=True)
    writer.add_array("e", [1, 2, 3])
    writer.add_array("f", ["x", "y"])
    writer.add_key_length(8)
    writer.add_tensor("w", np.ones((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = gguf.read_header(path)
    assert (header.architecture, header.parameters, header.quantization) == ("test", 128, "F32")
    assert header.vocabulary_id == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"hello", "not a GGUF"),
        (b"GG", "not a GGUF"),
        (b"GGUF" + struct.pack("<I", 99), "version is 99"),
        (b"GGUF" + struct.pack("<IQ", 3, 2**60), "announces"),
        (b"GGUF" + struct.pack("<I", 3), "cut off"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "no weights"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**40), "text of"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<I", 77), "type 77"),
        (
            b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1),
            "type 9",
        ),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"w" + struct.pack("<I", 9), "9 dimensions"),
        (
            b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"w" + struct.pack("<IQIQ", 1, 4, 99, 0),
            "unknown type 99",
        ),
        (
            b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 17) + b"general.alignment"
            + struct.pack("<II", 4, 0) + struct.pack("<Q", 1) + b"w"
            + struct.pack("<IQIQ", 1, 4, 0, 0),
            "alignment",
        ),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_by_what_is_wrong(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    assert problem in broken(tmp_path / "x.gguf", content)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 0.999))
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, share: float) -> None:
    whole = POCKET.read_bytes()
    message = broken(tmp_path / "cut.gguf", whole[: int(share * len(whole))])
    assert any(word in message for word in ("cut off", "empty", "not a GGUF"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 40_000), byte=st.integers(0, 255))
def test_a_flipped_byte_of_the_header_is_read_or_refused_but_never_worse(
    tmp_path: Path, at: int, byte: int
) -> None:
    content = bytearray(POCKET.read_bytes())
    content[at] = byte
    path = tmp_path / "flipped.gguf"
    path.write_bytes(content)
    with contextlib.suppress(ModelUnusable):
        gguf.read_header(path)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="No such file"):
        gguf.read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelUnusable, match="not a file"):
        gguf.read_header(tmp_path)


def test_the_fingerprint_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    first = gguf.sha256(path)
    assert first == gguf.sha256(path)
    path.write_bytes(b"three")
    assert gguf.sha256(path) != first


def test_a_model_is_found_by_pocket_name_or_path(tmp_path: Path) -> None:
    assert models.resolve(ModelSettings(name="abacus")) == POCKET
    assert models.resolve(ModelSettings(name="mine", path=POCKET)) == POCKET.resolve()
    with pytest.raises(UnknownModel, match="Did you mean 'abacus'"):
        models.resolve(ModelSettings(name="abacsu"))
    with pytest.raises(ModelUnusable, match=r"none\.gguf"):
        models.resolve(ModelSettings(name="mine", path=tmp_path / "none.gguf"))
    with pytest.raises(ModelUnusable, match="is no file"):
        models.resolve(ModelSettings(name="mine", path=tmp_path))
