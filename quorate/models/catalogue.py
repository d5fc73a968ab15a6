"""The catalogue: real models by name, where their files are, and what they are. Pure.

The facts lie in `catalogue.yaml`; `make catalogue` compares them with the hub. A model's shape is
told there too, so that its memory can be estimated before its file is on disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import AfterValidator, Field, field_validator, model_validator

from quorate import config
from quorate.config import Name, Settings
from quorate.errors import UnknownModel, nearest
from quorate.models.header import TENSOR_TYPES, GgufHeader
from quorate.models.memory import MemoryEstimate, estimate

RESOURCE: Final = "catalogue.yaml"
LISTED_CONTEXT_TOKENS: Final = 4096
"""The context for which a list tells each model's memory."""
_TOKEN_TEXT_BYTES, _MERGE_TEXT_BYTES = 20, 18
"""What a vocabulary takes in a file for each token and merge, about."""
_BYTES_PER_WEIGHT: Final = 0.625
"""Of a Q4_K_M file, which holds some matrices more precisely; for files of unknown size."""
_BLOCK_WEIGHTS: Final = 256
"""A K-quant needs rows of whole blocks; matrices of other widths get an older type."""


def _check_hex(value: str, digits: int) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
        raise ValueError(f"{value!r} is not {digits} lower-case hexadecimal digits")
    return value


def _check_file(value: str) -> str:
    if not value.endswith(".gguf") or value.startswith("/") or ".." in Path(value).parts:
        raise ValueError(f"{value!r} is not the path of a .gguf file inside a repository")
    return value


Sha256 = Annotated[str, AfterValidator(lambda value: _check_hex(value, 64))]
Commit = Annotated[str, AfterValidator(lambda value: _check_hex(value, 40))]
Repository = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
ModelFile = Annotated[str, AfterValidator(_check_file)]
Speciality = Literal["general", "code"]


class Licence(Settings):
    """Under which terms a model may be used; `note` is what surprises most, or empty."""

    name: str
    url: str
    note: str = ""


class Shape(Settings):
    """What decides how much memory a model takes: its layers, widths, heads and vocabulary.

    `output_matrix` says whether its file holds a matrix for the output beside that for the input.
    """

    architecture: str
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_width: int = Field(gt=0)
    embedding: int = Field(gt=0)
    feed_forward: int = Field(gt=0)
    vocabulary_tokens: int = Field(gt=0)
    vocabulary_merges: int = Field(ge=0)
    context_tokens: int = Field(gt=0)
    output_matrix: bool

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token takes in a cache of 16-bit keys and values."""
        return 2 * 2 * self.layers * self.kv_heads * self.head_width


class CatalogueModel(Settings):
    """One model of the catalogue, and the file that holds it.

    None for `revision` takes the repository's main branch; None for `sha256` takes what the hub
    says when the file is first pulled, and keeps it.
    """

    name: Name
    title: str
    family: str
    speciality: Speciality
    parameters: int = Field(gt=0)
    licence: str
    repository: Repository
    file: ModelFile
    revision: Commit | None = None
    sha256: Sha256 | None = None
    file_bytes: int | None = Field(default=None, gt=0)
    quantization: str
    shape: Shape

    @property
    def size_bytes(self) -> int:
        """The size of its file, estimated where it is not known."""
        return self.file_bytes or round(self.parameters * _BYTES_PER_WEIGHT)

    @property
    def memory(self) -> MemoryEstimate:
        """What it takes with one slot of LISTED_CONTEXT_TOKENS."""
        return estimate(self.header(), pool_tokens=LISTED_CONTEXT_TOKENS, slots=1)

    def header(self, path: Path = Path()) -> GgufHeader:
        """Describe its file as the file itself would, as far as the catalogue knows."""
        shape = self.shape
        kind = _token_matrix_type(shape)
        block, block_bytes = next(
            (weights, size) for name, weights, size in TENSOR_TYPES.values() if name == kind
        )
        vocabulary = shape.vocabulary_tokens * _TOKEN_TEXT_BYTES
        vocabulary += shape.vocabulary_merges * _MERGE_TEXT_BYTES
        return GgufHeader(
            path=path,
            architecture=shape.architecture,
            name=self.title,
            parameters=self.parameters,
            quantization=self.quantization,
            context_tokens=shape.context_tokens,
            embedding=shape.embedding,
            layers=shape.layers,
            heads=shape.heads,
            kv_heads=shape.kv_heads,
            kv_bytes_per_token=shape.kv_bytes_per_token,
            vocabulary_tokens=shape.vocabulary_tokens,
            vocabulary_id="",
            chat_template="",
            file_bytes=self.size_bytes,
            feed_forward=shape.feed_forward,
            head_width=shape.head_width,
            vocabulary_merges=shape.vocabulary_merges,
            weights_bytes=max(0, self.size_bytes - vocabulary),
            token_matrix_bytes=shape.vocabulary_tokens * shape.embedding // block * block_bytes,
            token_matrix_type=kind,
            output_matrix=shape.output_matrix,
        )


def _token_matrix_type(shape: Shape) -> str:
    """Give the type that llama.cpp's Q4_K_M gives the matrix of tokens; an output is finer."""
    whole = shape.embedding % _BLOCK_WEIGHTS == 0
    if shape.output_matrix:
        return "Q4_K" if whole else "Q5_0"
    return "Q6_K" if whole else "Q8_0"


class Catalogue(Settings):
    """All models of the catalogue, and the licences that they name."""

    licences: Mapping[str, Licence]
    models: Sequence[CatalogueModel] = Field(min_length=1)

    @field_validator("models")
    @classmethod
    def _models_differ(cls, models: Sequence[CatalogueModel]) -> Sequence[CatalogueModel]:
        names = [model.name for model in models]
        if len(set(names)) != len(names):
            raise ValueError("a model's name occurs more than once")
        return models

    @model_validator(mode="after")
    def _licences_are_known(self) -> Self:
        for model in self.models:
            if model.licence not in self.licences:
                raise ValueError(f"{model.name} has the unknown licence {model.licence!r}")
        return self

    @property
    def by_name(self) -> Mapping[str, CatalogueModel]:
        """The models by name."""
        return {model.name: model for model in self.models}

    def licence_of(self, model: CatalogueModel) -> Licence:
        """Give the terms of a model."""
        return self.licences[model.licence]

    def find(self, name: str) -> CatalogueModel:
        """Give the model of a name, however it is written; raises UnknownModel."""
        known = self.by_name
        model = known.get(canonical(name))
        if model is None:
            raise UnknownModel(
                f"the catalogue has no model {name!r}.{nearest(canonical(name), known)} "
                "`quorate models list` shows all; `quorate models pull hf:REPOSITORY/FILE` brings "
                "any other GGUF file."
            )
        return model


def canonical(name: str) -> str:
    """Write a name as the catalogue and a topology do: Llama-3.2-3B is llama-3-2-3b."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@cache
def catalogue() -> Catalogue:
    """Give the catalogue that comes with Quorate."""
    text = (resources.files("quorate.models") / RESOURCE).read_text(encoding="utf-8")
    return config.validate(Catalogue, yaml.safe_load(text), RESOURCE)
