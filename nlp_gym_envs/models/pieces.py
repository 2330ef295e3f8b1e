"""What each id of a vocabulary appends to a text, in bytes: detokenising is then a join."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any

SPACE = "\u2581"  # SentencePiece's mark of a space
BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# what the tokenizers library's WordPiece decoder does to every token where its `cleanup` is on
CLEANUP = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
           (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))  # fmt: skip


def pieces(tokenizer: Any, size: int) -> tuple[bytes, ...]:
    """The bytes of every id below `size`; b"" for special tokens and for ids that the tokenizer does not have.

    Joined and decoded as UTF-8 they give the tokenizer's own text, but for spaces at both ends: of byte-level BPE,
    SentencePiece (Metaspace, with or without byte fallback), WordPiece and WordLevel tokenizers.
    """
    tokens: list[str | None] = tokenizer.convert_ids_to_tokens(range(min(size, len(tokenizer))))
    added = tokenizer.added_tokens_decoder
    special = {*tokenizer.all_special_ids, *(number for number, token in added.items() if token.special)}
    append = _appender(tokenizer, [token for token in tokens if token is not None])
    made = [b"" if token is None or number in special else append(token)
            for number, token in enumerate(tokens)]  # fmt: skip
    return tuple(made) + (b"",) * (size - len(made))


def _appender(tokenizer: Any, tokens: list[str]) -> Callable[[str], bytes]:
    """How a token becomes the bytes that it appends."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # a tokenizer in Python: SentencePiece's, or words
        return _metaspace if any(SPACE in token for token in tokens) else _word
    decoder = json.loads(backend.to_str())["decoder"]
    kinds = {part["type"]: part for part in _parts(decoder)}
    if "ByteLevel" in kinds:
        return _byte_level
    if "Metaspace" in kinds or "ByteFallback" in kinds or SPACE in str(kinds.get("Replace")):
        return _metaspace
    if "WordPiece" in kinds:
        return functools.partial(_word_piece, **{name: kinds["WordPiece"][name] for name in ("prefix", "cleanup")})
    return _word if not kinds else functools.partial(_compared, backend, tokens[-1])


def _parts(decoder: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The simple decoders that a decoder consists of."""
    if decoder is None:
        return []
    if decoder["type"] == "Sequence":
        return [part for inner in decoder["decoders"] for part in _parts(inner)]
    return [decoder]


@functools.cache
def _bytes_of_characters() -> dict[str, int]:
    """The byte that each character of a byte-level token stands for: printable ones for themselves, then from 256 on.

    Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def _byte_level(token: str) -> bytes:
    table = _bytes_of_characters()
    if all(character in table for character in token):
        return bytes(table[character] for character in token)
    return token.encode()


def _metaspace(token: str) -> bytes:
    if match := BYTE.fullmatch(token):
        return bytes([int(match[1], 16)])
    return token.replace(SPACE, " ").encode()


def _word_piece(token: str, prefix: str, cleanup: bool) -> bytes:
    text = token.removeprefix(prefix) if token.startswith(prefix) else f" {token}"
    for before, after in CLEANUP if cleanup else ():
        text = text.replace(before, after)
    return text.encode()


def _word(token: str) -> bytes:
    return f" {token}".encode()


def _compared(backend: Any, anchor: str, token: str) -> bytes:
    """For any other decoder: what a text of two tokens gains by a third in between."""
    decode = backend.decoder.decode
    behind = decode([anchor])
    before = decode([anchor, anchor]).removesuffix(behind)
    return decode([anchor, token, anchor]).removeprefix(before).removesuffix(behind).encode()
