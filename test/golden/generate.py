"""Writes the golden vectors beside this file: what PyTorch answers to seeded cases over the whole parameter space.

    python test/golden/generate.py          (PyTorch 2.13, numpy; the tests themselves need no Python)

Inputs are not stored: `tensor` makes them from a seed by the same integer hash as test/golden/golden.test.ts. Options are
in the words of the package; `CALLS` translates them. Outputs are the float or integer arrays one after the other, deflated.
"""

import base64
import json
import os
import random
import zlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20261122
TYPES = {
    "float32": (np.float32, torch.float32),
    "float64": (np.float64, torch.float64),
    "float16": (np.float16, torch.float16),
    "uint8": (np.uint8, torch.uint8),
    "int8": (np.int8, torch.int8),
    "int32": (np.int32, torch.int32),
    "int64": (np.int64, torch.int64),
}


def hash32(seed, n):
    """n words: the finaliser of murmur3 over seed and position."""
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return h


def tensor(spec):
    dims, kind = spec["dims"], spec["type"]
    n = int(np.prod(dims))
    h = hash32(spec["seed"], n)
    fill = spec.get("fill", "uniform")
    if fill == "unpool":
        # One index per window of `window` cells: distinct, since the windows do not overlap.
        k, size = spec["window"], spec["plane"]
        axes = len(size)
        if spec.get("last"):
            # Made as (N, C, spatial…) and turned: the indices of a plane are those of the other layout.
            shape = [dims[0], dims[-1], *dims[1:-1]]
            planar = tensor({**spec, "dims": shape, "last": False})
            return planar.permute(0, *range(2, len(dims)), 1).contiguous()
        grid = np.indices(dims[-axes:]).reshape(axes, -1)
        planes = n // grid.shape[1]
        h = h.reshape(planes, -1)
        index = np.zeros_like(h, dtype=np.int64)
        for a in range(axes):
            index = index * size[a] + grid[a] * k + (h >> np.uint32(4 * a)) % k
        return torch.from_numpy(index.reshape(dims))
    if fill == "ties":
        v = (h % 4).astype(np.float64)
    elif kind in ("float32", "float64", "float16"):
        v = (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
        if kind == "float16":
            v = np.round(v * 1024) / 1024
        v *= spec.get("reach", 1)
    else:
        low = 0 if kind == "uint8" else -128
        v = (h % 256).astype(np.float64) + low
    if fill == "special":
        special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
        g = hash32(spec["seed"] + 1, n)
        v = np.where(g % 10 == 0, special[(g >> np.uint32(8)) % 5], v)
    return torch.from_numpy(v.astype(TYPES[kind][0]).reshape(dims))


def pool_options(o, names):
    return {py: o[js] for js, py in names.items() if js in o}


MAX = {"kernelSize": "kernel_size", "stride": "stride", "padding": "padding", "dilation": "dilation", "ceilMode": "ceil_mode"}
AVG = {
    "kernelSize": "kernel_size",
    "stride": "stride",
    "padding": "padding",
    "ceilMode": "ceil_mode",
    "countIncludePad": "count_include_pad",
    "divisorOverride": "divisor_override",
}
CONV = {"stride": "stride", "padding": "padding", "dilation": "dilation", "groups": "groups", "outputPadding": "output_padding"}
RESIZE = {
    "size": "size",
    "scaleFactor": "scale_factor",
    "mode": "mode",
    "alignCorners": "align_corners",
    "antialias": "antialias",
    "recomputeScaleFactor": "recompute_scale_factor",
}
GRID = {"mode": "mode", "paddingMode": "padding_mode", "alignCorners": "align_corners"}


def call(op, inputs, o):
    if o.get("layout") == "nhwc":
        # A view with PyTorch's own channels_last strides, whose kernels are then taken.
        count = 2 if op.startswith("maxUnpool") else 1
        turned = [t.permute(0, -1, *range(1, t.dim() - 1)) for t in inputs[:count]]
        planar = {k: v for k, v in o.items() if k != "layout"}
        return [t.permute(0, *range(2, t.dim()), 1) for t in call(op, turned + inputs[count:], planar)]
    name, rank = op, ""
    for suffix in ("WithIndices",):
        name = name.replace(suffix, "")
    if name[-1] == "d" and name[-2].isdigit():
        name, rank = name[:-2], name[-2:]
    x = inputs[0]
    if name == "interpolate":
        return [F.interpolate(x, **pool_options(o, RESIZE))]
    if name == "gridSample":
        return [F.grid_sample(x, inputs[1], **{"align_corners": False, **pool_options(o, GRID)})]
    if name in ("conv", "convTranspose"):
        f = getattr(F, ("conv" if name == "conv" else "conv_transpose") + rank)
        return [f(x, inputs[1], inputs[2] if len(inputs) > 2 else None, **pool_options(o, CONV))]
    if name == "maxPool":
        y, i = getattr(F, "max_pool" + rank)(x, return_indices=True, **pool_options(o, MAX))
        return [y, i.to(torch.int32)]
    if name == "avgPool":
        if rank == "1d":
            o = {k: v for k, v in o.items() if k != "divisorOverride"}
        return [getattr(F, "avg_pool" + rank)(x, **pool_options(o, AVG))]
    if name == "maxUnpool":
        return [getattr(F, "max_unpool" + rank)(x, inputs[1], o["kernelSize"], o.get("stride"), o.get("padding", 0), o.get("outputSize"))]
    if name == "adaptiveAvgPool":
        return [getattr(F, "adaptive_avg_pool" + rank)(x, o["outputSize"])]
    if name == "adaptiveMaxPool":
        y, i = getattr(F, "adaptive_max_pool" + rank)(x, o["outputSize"], return_indices=True)
        return [y, i.to(torch.int32)]
    if name == "pixelShuffle":
        return [F.pixel_shuffle(x, o["upscaleFactor"])]
    if name == "pixelUnshuffle":
        return [F.pixel_unshuffle(x, o["downscaleFactor"])]
    raise ValueError(op)


class Cases:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.next = seed

    def seed(self):
        self.next = (self.next * 1103515245 + 12345) % 2**31
        return self.next

    def make(self, dims, kind="float32", **more):
        return {"type": kind, "dims": dims, "seed": self.seed(), **more}

    def sizes(self, n, most):
        top = {1: 4 * most, 2: most, 3: max(3, most // 2)}[n]
        return [self.r.randint(1, top) for _ in range(n)]


LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def interpolate(c):
    r = c.r
    n = r.choice([1, 2, 2, 2, 3])
    mode = r.choice(["nearest", "nearest-exact", LINEAR[n], "area"] + (["bicubic", "bicubic", "bilinear"] if n == 2 else []))
    s = c.sizes(n, 9)
    o = {"mode": mode}
    if r.random() < 0.55:
        o["size"] = [r.randint(1, {1: 50, 2: 12, 3: 6}[n]) for _ in range(n)]
    else:
        f = [r.choice([0.6, 1.7, 2.5, 2.0, 0.5, 3.0, 1.25, 0.77, 1.1]) for _ in range(n)]
        f = [v if int(d * v) >= 1 else 2.0 for v, d in zip(f, s)]
        o["scaleFactor"] = f
        if r.random() < 0.3 and mode != "area":
            o["recomputeScaleFactor"] = True
    if mode in ("linear", "bilinear", "trilinear", "bicubic") and r.random() < 0.35:
        o["alignCorners"] = True
    if mode in ("bilinear", "bicubic") and r.random() < 0.3:
        o["antialias"] = True
    kind = r.choice(["float32"] * 5 + ["float64"])
    if mode.startswith("nearest"):
        kind = r.choice(["float32", "float32", "float64", "uint8"])
    special = {"fill": "special"} if mode.startswith("nearest") and kind.startswith("float") and r.random() < 0.3 else {}
    return "interpolate", [c.make([r.choice([1, 2]), r.choice([1, 2, 3])] + s, kind, **special)], o


def nearest_rows(c):
    """Long rows at sizes where float32 arithmetic picks another pixel than exact arithmetic."""
    r = c.r
    s = r.randint(1, 250)
    o = {"mode": r.choice(["nearest", "nearest-exact"])}
    if r.random() < 0.6:
        o["size"] = [r.randint(1, 250)]
    else:
        f = r.choice([0.3, 0.6, 0.7, 1.1, 1.3, 1.7, 2.3, 2.5])
        o["scaleFactor"] = [f if int(s * f) >= 1 else 2.0]
    return "interpolate", [c.make([1, 1, s], r.choice(["float32", "uint8"]), fill="ties" if r.random() < 0.1 else "uniform")], o


def grid_sample(c):
    r = c.r
    n = r.choice([2, 2, 3])
    s = c.sizes(n, 7)
    out = [r.randint(1, 6) for _ in range(n)]
    b = r.choice([1, 2])
    o = {
        "mode": r.choice(["bilinear", "nearest"] + (["bicubic"] if n == 2 else [])),
        "paddingMode": r.choice(["zeros", "border", "reflection"]),
        "alignCorners": r.random() < 0.5,
    }
    kind = r.choice(["float32", "float32", "float64"])
    return "gridSample", [c.make([b, r.choice([1, 2, 3])] + s, kind), c.make([b] + out + [n], kind, reach=r.choice([1, 1, 1.5, 3]))], o


def window(c, n, most=3):
    r = c.r
    k = [r.randint(1, most) for _ in range(n)]
    o = {"kernelSize": k}
    if r.random() < 0.7:
        o["stride"] = [r.randint(1, 3) for _ in range(n)]
    if r.random() < 0.5:
        o["padding"] = [r.randint(0, v // 2) for v in k]
    if r.random() < 0.4:
        o["ceilMode"] = True
    return o


def max_pool(c):
    r = c.r
    n = r.choice([1, 2, 2, 3])
    o = window(c, n, 4)
    if r.random() < 0.3:
        o["dilation"] = [r.randint(1, 2) for _ in range(n)]
    kind = r.choice(["float32", "float32", "float64", "uint8", "int32"])
    fill = r.choice(["uniform", "ties"] + (["special"] * 2 if kind.startswith("float") else []))
    s = [d + 6 // n for d in c.sizes(n, 6)]
    return f"maxPool{n}dWithIndices", [c.make([r.choice([1, 2]), r.choice([1, 3, 5])] + s, kind, fill=fill)], o


def avg_pool(c):
    r = c.r
    n = r.choice([1, 2, 2, 3])
    o = window(c, n, 4)
    if r.random() < 0.4:
        o["countIncludePad"] = False
    if n > 1 and r.random() < 0.2:
        o["divisorOverride"] = r.choice([2, 3, 7])
    s = [d + 6 // n for d in c.sizes(n, 6)]
    return f"avgPool{n}d", [c.make([r.choice([1, 2]), r.choice([1, 3, 5])] + s, r.choice(["float32", "float32", "float64"]))], o


def max_unpool(c):
    r = c.r
    n = r.choice([1, 2, 2, 3])
    k = r.randint(1, 3)
    s = [r.randint(1, 4) for _ in range(n)]
    plane = [d * k for d in s]
    o = {"kernelSize": [k] * n}
    if k > 1 and r.random() < 0.4:
        plane = [d + r.randint(0, k - 1) for d in plane]
        o["outputSize"] = plane
    lead = [r.choice([1, 2]), r.choice([1, 3, 5])]
    spec = c.make(lead + s, r.choice(["float32", "float64"]), fill=r.choice(["uniform", "special"]))
    return f"maxUnpool{n}d", [spec, c.make(lead + s, "int64", fill="unpool", window=k, plane=plane)], o


def adaptive(c):
    r = c.r
    n = r.choice([1, 2, 2, 3])
    out = [r.randint(1, 5) for _ in range(n)]
    s = c.sizes(n, 8)
    lead = [r.choice([1, 2]), r.choice([1, 3])]
    if r.random() < 0.5:
        return f"adaptiveAvgPool{n}d", [c.make(lead + s)], {"outputSize": out}
    return f"adaptiveMaxPool{n}dWithIndices", [c.make(lead + s, fill=r.choice(["uniform", "ties", "special"]))], {"outputSize": out}


def convolution(c):
    r = c.r
    n = r.choice([1, 2, 2, 2, 3])
    groups = r.choice([1, 1, 1, 2, 3])
    ci, co = r.choice([1, 2, 3, 5, 7, 11]), r.choice([1, 2, 3, 5, 7, 13])
    k = [r.randint(1, 4 if n < 3 else 3) for _ in range(n)]
    o = {}
    if groups > 1:
        o["groups"] = groups
    d = [1] * n
    if r.random() < 0.6:
        o["stride"] = [r.randint(1, 3) for _ in range(n)]
    if r.random() < 0.4:
        d = [r.randint(1, 2) for _ in range(n)]
        o["dilation"] = d
    kind = r.choice(["float32"] * 4 + ["float64"])
    transposed = r.random() < 0.5
    bias = r.random() < 0.5
    span = [(a - 1) * b + 1 for a, b in zip(k, d)]
    if transposed:
        s = [r.randint(1, {1: 12, 2: 4, 3: 3}[n]) for _ in range(n)]
        stride = o.get("stride", [1] * n)
        if r.random() < 0.5:
            pads = [r.randint(0, (v - 1) // 2) for v in span]
            o["padding"] = pads
        if r.random() < 0.5:
            o["outputPadding"] = [r.randint(0, max(a, b) - 1) for a, b in zip(stride, d)]
        weight = [ci * groups, co] + k
    else:
        s = [v + r.randint(0, {1: 20, 2: 5, 3: 3}[n]) for v in span]
        if "stride" not in o and r.random() < 0.3:
            o["padding"] = "same"
        elif r.random() < 0.5:
            o["padding"] = [r.randint(0, 2) for _ in range(n)]
        weight = [co * groups, ci] + k
    inputs = [c.make([r.choice([1, 2]), ci * groups] + s, kind), c.make(weight, kind)]
    if bias:
        inputs.append(c.make([co * groups], kind))
    return f"conv{'Transpose' if transposed else ''}{n}d", inputs, o


def shuffle(c):
    r = c.r
    f = r.randint(1, 4)
    kind = r.choice(["float32", "float64", "uint8", "int64"])
    ch, h, w = r.choice([1, 2, 3]), r.randint(1, 4), r.randint(1, 5)
    if r.random() < 0.5:
        return "pixelShuffle", [c.make([1, ch * f * f, h, w], kind)], {"upscaleFactor": f}
    return "pixelUnshuffle", [c.make([1, ch, h * f, w * f], kind)], {"downscaleFactor": f}


def half(draw):
    """The same cases in float16."""

    def drawn(c):
        op, inputs, o = draw(c)
        return op, [{**t, "type": "float16"} if t["type"].startswith("float") else t for t in inputs], o

    return drawn


def last(draw):
    """The same cases with channels last."""

    def drawn(c):
        op, inputs, o = draw(c)
        count = 2 if op.startswith("maxUnpool") else 1
        turned = [{**t, "dims": [t["dims"][0], *t["dims"][2:], t["dims"][1]]} for t in inputs[:count]]
        if count == 2:
            turned[1]["last"] = True
        return op, turned + inputs[count:], {**o, "layout": "nhwc"}

    return drawn


def floats(draw):
    """Only cases of floating point, for half."""

    def drawn(c):
        while True:
            op, inputs, o = draw(c)
            if inputs[0]["type"].startswith("float"):
                return op, inputs, o

    return drawn


FILES = {
    "interpolate": [(interpolate, 750), (nearest_rows, 150)],
    "pools": [(max_pool, 300), (avg_pool, 220), (max_unpool, 120), (adaptive, 160)],
    "convolutions": [(convolution, 480)],
    "others": [(grid_sample, 260), (shuffle, 80)],
    "float16": [
        (half(floats(interpolate)), 150),
        (half(floats(max_pool)), 40),
        (half(avg_pool), 40),
        (half(max_unpool), 20),
        (half(adaptive), 30),
        (half(convolution), 100),
    ],
    "channels-last": [
        (last(interpolate), 150),
        (last(max_pool), 60),
        (last(avg_pool), 50),
        (last(max_unpool), 40),
        (last(adaptive), 40),
        (last(convolution), 110),
        (last(grid_sample), 40),
        (last(shuffle), 30),
    ],
}


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    total = 0
    for file_number, (name, parts) in enumerate(FILES.items()):
        cases, blobs = [], []
        for part_number, (draw, count) in enumerate(parts):
            c = Cases(SEED + 1000 * file_number + part_number)
            made = 0
            while made < count:
                op, inputs, o = draw(c)
                try:
                    out = call(op, [tensor(t) for t in inputs], o)
                except RuntimeError:
                    continue  # PyTorch refuses the combination
                if not 0 < sum(t.numel() for t in out) <= 700:
                    continue
                cases.append({"op": op, "inputs": inputs, "options": o, "out": [list(t.shape) for t in out]})
                blobs += [t.contiguous().numpy().tobytes() for t in out]
                made += 1
        data = base64.b64encode(zlib.compress(b"".join(blobs), 9)).decode()
        head = {"source": "PyTorch " + torch.__version__, "seed": SEED, "data": data}
        with open(os.path.join(HERE, name + ".json"), "w") as f:
            f.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"cases":[\n')
            f.write(",\n".join(json.dumps(x, separators=(",", ":")) for x in cases) + "\n]}\n")
        total += len(cases)
    print(total, "cases")


if __name__ == "__main__":
    main()
