"""A model made here for llama.cpp's server: it has the marks of a FIM model, and says one text over and over, whatever it is asked.

No weights are learned: the token that follows each is written into the last matrix, and all between is zero.  What depends on
a server being a server (slots, caches, streams, cancels) is real; its text is not.
"""

import struct
from pathlib import Path

MARKS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|im_start|>",
    "<|im_end|>",
)
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY, _INT32 = 4, 6, 7, 8, 9, 5
_ALIGN = 32
_NORMAL, _CONTROL = 1, 3


def write(path, says, *, layers=1, width=384, inner=384, context=32_768):
    """Write a model that says `says` for ever: each of its characters is ASCII, and stands in it once.

    `layers` and `inner` make it slower: nothing else comes of them.
    """
    assert len(set(says)) == len(says) <= 256
    characters = _characters()
    tokens = [*characters, "ĠĠ", *MARKS]
    follows = [tokens.index(characters[ord(says[0])])] * len(tokens)
    for one, other in zip(says, says[1:] + says[:1], strict=True):
        follows[tokens.index(characters[ord(one)])] = tokens.index(characters[ord(other)])
    assert len(tokens) <= width
    tensors = dict(_tensors(tokens, follows, layers, width, inner))
    facts = _facts(tokens, layers, width, inner, context)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(facts))
    head += b"".join(_text(name) + _typed(kind, value) for name, kind, value in facts)
    at, places = 0, []
    for name, (shape, _) in tensors.items():
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, at)
        places.append(at)
        size = 4
        for side in shape:
            size *= side
        at += -(-size // _ALIGN) * _ALIGN
    start = -(-len(head) // _ALIGN) * _ALIGN
    with Path(path).open("wb") as out:
        out.write(head)
        out.truncate(start + at)  # zeros where nothing is written
        for place, (_, ones) in zip(places, tensors.values(), strict=True):
            for number in ones:
                out.seek(start + place + 4 * number)
                out.write(struct.pack("<f", 1.0))
    return path


def _tensors(tokens, follows, layers, width, inner):
    """Name, shape (the fastest first), and which numbers are one."""
    all_ones = range(width)
    yield "token_embd.weight", ((width, len(tokens)), [n * width + n for n in range(len(tokens))])
    yield "output_norm.weight", ((width,), all_ones)
    yield "output.weight", ((width, len(tokens)), [other * width + n for n, other in enumerate(follows)])
    for layer in range(layers):
        own = f"blk.{layer}."
        yield own + "attn_norm.weight", ((width,), all_ones)
        yield own + "ffn_norm.weight", ((width,), all_ones)
        for name in ("attn_q", "attn_k", "attn_v"):
            yield own + name + ".weight", ((width, width), ())
            yield own + name + ".bias", ((width,), ())
        yield own + "attn_output.weight", ((width, width), ())
        yield own + "ffn_gate.weight", ((width, inner), ())
        yield own + "ffn_up.weight", ((width, inner), ())
        yield own + "ffn_down.weight", ((inner, width), ())


def _facts(tokens, layers, width, inner, context):
    marks = {name: tokens.index(name) for name in MARKS}
    kinds = [_CONTROL if token in marks else _NORMAL for token in tokens]
    own = "qwen2."
    return [
        ("general.architecture", _STRING, "qwen2"),
        ("general.name", _STRING, "qwen2.5-coder-made-here"),
        ("general.alignment", _UINT32, _ALIGN),
        (own + "context_length", _UINT32, context),
        (own + "embedding_length", _UINT32, width),
        (own + "block_count", _UINT32, layers),
        (own + "feed_forward_length", _UINT32, inner),
        (own + "attention.head_count", _UINT32, width // 64),
        (own + "attention.head_count_kv", _UINT32, width // 64),
        (own + "rope.freq_base", _FLOAT32, 10000.0),
        (own + "attention.layer_norm_rms_epsilon", _FLOAT32, 1e-6),
        ("tokenizer.ggml.model", _STRING, "gpt2"),
        ("tokenizer.ggml.pre", _STRING, "qwen2"),
        ("tokenizer.ggml.tokens", (_ARRAY, _STRING), tokens),
        ("tokenizer.ggml.token_type", (_ARRAY, _INT32), kinds),
        ("tokenizer.ggml.merges", (_ARRAY, _STRING), ["Ġ Ġ"]),
        ("tokenizer.ggml.eos_token_id", _UINT32, marks["<|endoftext|>"]),
        ("tokenizer.ggml.padding_token_id", _UINT32, marks["<|endoftext|>"]),
        ("tokenizer.ggml.fim_pre_token_id", _UINT32, marks["<|fim_prefix|>"]),
        ("tokenizer.ggml.fim_suf_token_id", _UINT32, marks["<|fim_suffix|>"]),
        ("tokenizer.ggml.fim_mid_token_id", _UINT32, marks["<|fim_middle|>"]),
        ("tokenizer.ggml.fim_pad_token_id", _UINT32, marks["<|fim_pad|>"]),
        ("tokenizer.ggml.fim_rep_token_id", _UINT32, marks["<|repo_name|>"]),
        ("tokenizer.ggml.fim_sep_token_id", _UINT32, marks["<|file_sep|>"]),
        ("tokenizer.ggml.add_bos_token", _BOOL, False),
    ]


def _characters():
    """What stands for each byte in a vocabulary of GPT-2's kind: itself where it can be seen, else one from 256 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    return [chr(byte) if byte in seen else chr(next(rest)) for byte in range(256)]


def _text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(kind, value):
    if isinstance(kind, tuple):
        inner = kind[1]
        return struct.pack("<IIQ", _ARRAY, inner, len(value)) + b"".join(_plain(inner, one) for one in value)
    return struct.pack("<I", kind) + _plain(kind, value)


def _plain(kind, value):
    if kind == _STRING:
        return _text(value)
    return struct.pack({_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<?"}[kind], value)
