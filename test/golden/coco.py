"""Writes coco.json beside this file: run-length strings of pycocotools for masks made from seeds.

    python test/golden/coco.py          (pycocotools 2.0.11, numpy; the tests themselves need no Python)
"""

import importlib.metadata
import json
import os

import numpy as np
from pycocotools import mask

HERE = os.path.dirname(os.path.abspath(__file__))


def hash32(seed, n):
    """n words: the finaliser of murmur3 over seed and position, as in generate.py."""
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return h


def main():
    cases = []
    for i, (dims, scale, threshold) in enumerate(
        [(d, s, t) for d in ([1, 1], [2, 3], [7, 5], [13, 1], [1, 17], [16, 24]) for s in (1, 3, 40) for t in (-2.0, -0.5, 0.0, 0.7, 2.0)]
    ):
        v = (hash32(1000 + i, dims[0] * dims[1]) >> np.uint32(8)).astype(np.float64) / 2**23 - 1
        bits = np.kron((v > threshold).reshape(dims).astype(np.uint8), np.ones((scale, scale), np.uint8))
        rle = mask.encode(np.asfortranarray(bits))
        assert rle["size"] == list(bits.shape)
        cases.append({"dims": dims, "scale": scale, "threshold": threshold, "seed": 1000 + i, "counts": rle["counts"].decode()})
    source = "pycocotools " + importlib.metadata.version("pycocotools")
    with open(os.path.join(HERE, "coco.json"), "w") as f:
        f.write(f'{{"source":"{source}","cases":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
