"""Writes axis.json beside this file: what torch.nn.functional.interpolate returns. Run with PyTorch 2.13.

`nearest`: rows of the input index that every output reads, at sizes where rounding decides.
`values`: small tensors through every mode. Left out are two things of PyTorch's that we do otherwise on purpose: antialias
onto one column (2.13 copies row 0 there when the memory order is ambiguous), and products of zero with infinity.
"""
import json
import os
import random

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
random.seed(2026)
torch.manual_seed(2026)


def to_layout(x, layout):
    if layout == "nchw":
        return x.contiguous()
    return x.contiguous(memory_format=torch.channels_last)


def nearest_row(mode, dtype, layout, channels, height, n, o, scale):
    x = torch.arange(n).reshape(1, 1, 1, n).expand(1, channels, height, n).to(getattr(torch, dtype))
    kw = dict(size=(height, o)) if scale is None else dict(scale_factor=(1.0, scale))
    return F.interpolate(to_layout(x, layout), mode=mode, **kw)[0, 0, 0].int().tolist()


nearest = []
for mode in ("nearest", "nearest-exact"):
    for dtype, layout, channels, height in (
        ("float32", "nchw", 1, 1),
        ("float32", "nchw", 1, 130),
        ("float32", "nhwc", 4, 130),
        ("float64", "nchw", 1, 1),
        ("float64", "nchw", 1, 130),
        ("float64", "nhwc", 4, 130),
        ("uint8", "nhwc", 3, 130),
    ):
        rows = []
        for n in range(2, 60):
            for o in range(2, 125):
                got = nearest_row(mode, dtype, layout, channels, height, n, o, None)
                shift = 0 if mode == "nearest" else 1
                exact = [min((2 * i + shift) * n // (2 * o), n - 1) for i in range(o)]
                if got != exact:
                    rows.append((n, o, None, got))
        chosen = random.sample(rows, min(4, len(rows)))
        for scale in (1.03, 2.03, 0.6):
            chosen.append((20, None, scale, nearest_row(mode, dtype, layout, channels, height, 20, None, scale)))
        for n, o, scale, got in chosen:
            dims = [1, channels, height, n] if layout == "nchw" else [1, height, n, channels]
            nearest.append(
                dict(mode=mode, type=dtype, dims=dims, layout=layout, size=o and [height, o], scale=scale, row=got)
            )

values = []
for mode, spatial in (
    ("linear", [6]),
    ("bilinear", [4, 5]),
    ("bicubic", [5, 4]),
    ("trilinear", [2, 3, 3]),
    ("area", [7, 5]),
):
    for kind in ("up", "down", "scaled", "recomputed", "aligned", "antialias", "antialias-aligned", "one"):
        kw = dict(mode=mode)
        if "aligned" in kind and mode != "area":
            kw["align_corners"] = True
        if "antialias" in kind:
            if mode not in ("bilinear", "bicubic"):
                continue
            kw["antialias"] = True
        if kind in ("scaled", "recomputed"):
            kw["scale_factor"] = tuple(random.choice((0.6, 1.7, 2.5)) for _ in spatial)
            kw["recompute_scale_factor"] = kind == "recomputed"
        elif kind == "one":
            kw["size"] = (1,) * len(spatial)
        elif kind == "down":
            kw["size"] = tuple(max(1, s // 2) for s in spatial)
        else:
            kw["size"] = tuple(2 * s + random.randint(-1, 1) for s in spatial)
        x = (torch.rand([1, 1] + spatial) * 2 - 1).double()
        y = F.interpolate(x.float(), **kw)
        values.append(
            dict(
                options={k: list(v) if isinstance(v, tuple) else v for k, v in kw.items()},
                dims=list(x.shape),
                x=[round(v, 9) for v in x.flatten().tolist()],
                outDims=list(y.shape),
                y=[round(v, 7) for v in y.flatten().tolist()],
            )
        )

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "axis.json")
with open(path, "w") as f:
    f.write('{"version": "PyTorch %s",\n "nearest": [\n' % torch.__version__.split("+")[0])
    f.write(",\n".join(json.dumps(r, separators=(",", ":")) for r in nearest))
    f.write('],\n "values": [\n')
    f.write(",\n".join(json.dumps(r, separators=(",", ":")) for r in values))
    f.write("]}\n")
