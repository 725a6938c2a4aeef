"""Draws pictures, trains one small U-Net per way of upsampling, and writes weights, pictures and PyTorch's own answers.

usage: python3 train.py OUTPUT_FOLDER        (PyTorch 2.13, about five minutes on two cores; a network whose weights are there already
is not trained again)

The four networks are alike but for `up`: nearest + convolution, bilinear + convolution, max unpooling with the positions of the
contracting path, and transposed convolution. Everything is seeded; bench/unet/run.mjs runs the result without Python.
"""

import json
import math
import os
import struct
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE, CLASSES, TEST = 64, 4, 24
# Seeds of the first weights. Some starts end in a poor minimum after so few steps; these did not.
SEEDS = {"nearest": 0, "bilinear": 1, "unpool": 12, "transposed": 3}
VARIANTS = list(SEEDS)


def draw(rng):
    """A picture (3, SIZE, SIZE) uint8 and its classes: 0 background, 1 disc, 2 square, 3 triangle. Colour says nothing."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    a, b = rng.uniform(30, 225, 3), rng.uniform(30, 225, 3)
    angle = rng.uniform(0, 2 * math.pi)
    t = ((x * math.cos(angle) + y * math.sin(angle)) / SIZE + 1) / 2
    picture = a[:, None, None] * (1 - t) + b[:, None, None] * t
    truth = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(rng.integers(1, 4)):
        kind = int(rng.integers(1, CLASSES))
        r = rng.uniform(10, 18)
        cy, cx = rng.uniform(r, SIZE - r, 2)
        turn = rng.uniform(-0.3, 0.3)
        u = (x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)
        v = -(x - cx) * math.sin(turn) + (y - cy) * math.cos(turn)
        if kind == 1:
            inside = u * u + v * v < r * r
        elif kind == 2:
            inside = np.maximum(abs(u), abs(v)) < 0.8 * r
        else:
            inside = (v < 0.6 * r) & (v > math.sqrt(3) * abs(u) - 1.1 * r)
        colour = rng.uniform(0, 255, 3)
        picture = np.where(inside, colour[:, None, None], picture)
        truth = np.where(inside, np.uint8(kind), truth)
    picture = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255)
    return picture.astype(np.uint8), truth


def draw_many(seed, n):
    rng = np.random.default_rng(seed)
    pairs = [draw(rng) for _ in range(n)]
    return np.stack([p for p, _ in pairs]), np.stack([t for _, t in pairs])


class UNet(nn.Module):
    def __init__(self, variant):
        super().__init__()
        self.variant = variant
        conv = lambda i, o, k=3: nn.Conv2d(i, o, k, padding=k // 2)
        # Batch normalisation is for training alone: fold() puts it into the convolutions before it.
        self.norms = nn.ModuleDict({n: nn.BatchNorm2d(c) for n, c in dict(enc1a=8, enc1b=8, enc2=16, mid1=32, mid2=16, dec2=8, dec1=8).items()})
        self.enc1a, self.enc1b = conv(3, 8), conv(8, 8)
        self.enc2 = conv(8, 16)
        self.mid1, self.mid2 = conv(16, 32), conv(32, 16)
        self.coarse = conv(16, CLASSES, 1)
        if variant in ("nearest", "bilinear"):
            self.up2, self.up1 = conv(16, 16), conv(8, 8)
        if variant == "transposed":
            # 3x3 with stride 2: the kernel whose overlap is uneven, as in the networks that show the checkerboard.
            self.up2 = nn.ConvTranspose2d(16, 16, 3, 2, padding=1, output_padding=1)
            self.up1 = nn.ConvTranspose2d(8, 8, 3, 2, padding=1, output_padding=1)
        self.dec2, self.dec1 = conv(32, 8), conv(16, 8)
        self.head = conv(8, CLASSES, 1)

    def up(self, x, layer, indices):
        if self.variant == "unpool":
            return F.max_unpool2d(x, indices, 2)
        if self.variant == "transposed":
            return layer(x)
        kw = dict(align_corners=False) if self.variant == "bilinear" else {}
        return layer(F.interpolate(x, scale_factor=2, mode=self.variant, **kw))

    def layer(self, name, x):
        x = getattr(self, name)(x)
        return F.relu(self.norms[name](x) if name in self.norms else x)

    def fold(self):
        for name, norm in list(self.norms.items()):
            conv = getattr(self, name)
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            conv.weight.data *= gain[:, None, None, None]
            conv.bias.data = (conv.bias - norm.running_mean) * gain + norm.bias
        self.norms = nn.ModuleDict()

    def forward(self, x):
        a = self.layer("enc1b", self.layer("enc1a", x))
        p1, i1 = F.max_pool2d(a, 2, return_indices=True)
        b = self.layer("enc2", p1)
        p2, i2 = F.max_pool2d(b, 2, return_indices=True)
        m = self.layer("mid2", self.layer("mid1", p2))
        d2 = self.layer("dec2", torch.cat([self.up(m, getattr(self, "up2", None), i2), b], 1))
        u1 = self.up(d2, getattr(self, "up1", None), i1)
        d1 = self.layer("dec1", torch.cat([u1, a], 1))
        return self.head(d1), self.coarse(m), u1


def normalised(pictures):
    return torch.from_numpy(pictures).float() / 127.5 - 1


def iou(classes, truth):
    """Mean over the classes of intersection over union, over all pictures at once."""
    return float(np.mean([np.sum((classes == c) & (truth == c)) / np.sum((classes == c) | (truth == c)) for c in range(CLASSES)]))


def write_safetensors(path, tensors, metadata):
    names = {np.dtype("float32"): "F32", np.dtype("uint8"): "U8"}
    header, data, at = {"__metadata__": metadata}, [], 0
    for name, a in tensors.items():
        a = np.ascontiguousarray(a)
        header[name] = {"dtype": names[a.dtype], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        data.append(a.tobytes())
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def read_safetensors(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(length)), f.read()
    return {n: torch.from_numpy(np.frombuffer(data[slice(*e["data_offsets"])], np.float32).reshape(e["shape"]).copy())
            for n, e in header.items() if n != "__metadata__"}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    pictures, truth = draw_many(1, 1024)
    test_pictures, test_truth = draw_many(2, TEST)
    write_safetensors(os.path.join(folder, "pictures.safetensors"), {"pictures": test_pictures, "truth": test_truth}, {"seed": "2"})
    x, t = normalised(pictures), torch.from_numpy(truth).long()
    results = {"torch": torch.__version__, "classes": ["background", "disc", "square", "triangle"], "variants": {}}
    for variant in VARIANTS:
        path = os.path.join(folder, variant + ".safetensors")
        if os.path.exists(path):
            net = UNet(variant)
            net.norms = nn.ModuleDict()
            net.load_state_dict(read_safetensors(path))
        else:
            net = train(variant, x, t)
            weights = {n: p.detach().numpy() for n, p in net.named_parameters()}
            write_safetensors(path, weights, {"variant": variant, "torch": torch.__version__})
        net.eval()
        with torch.no_grad():
            fine, coarse, up = net(normalised(test_pictures))
            only_what = F.interpolate(coarse, scale_factor=4, mode="nearest").argmax(1)
            enlarged = F.interpolate(coarse, scale_factor=4, mode="bilinear", align_corners=False).argmax(1)
        results["variants"][variant] = {
            "iou": iou(fine.argmax(1).numpy(), test_truth),
            "iouCoarseNearest": iou(only_what.numpy(), test_truth),
            "iouCoarseBilinear": iou(enlarged.numpy(), test_truth),
            "logits": [float(v) for v in fine.flatten()[:: fine.numel() // 64][:64]],
            "logitsStep": fine.numel() // 64,
        }
        print(variant, {n: v for n, v in results["variants"][variant].items() if n != "logits"}, flush=True)
    with open(os.path.join(folder, "torch.json"), "w") as f:
        json.dump(results, f, indent=1)
        f.write("\n")


def train(variant, x, t):
    torch.manual_seed(SEEDS[variant])
    net = UNet(variant)
    steps = 900
    opt = torch.optim.Adam(net.parameters(), 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 6e-3, total_steps=steps)
    order = torch.Generator().manual_seed(7)
    for _ in range(steps):
        pick = torch.randint(len(x), (16,), generator=order)
        fine, coarse, _ = net(x[pick])
        small = t[pick][:, 2::4, 2::4]
        loss = F.cross_entropy(fine, t[pick]) + 0.4 * F.cross_entropy(coarse, small)
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        net.fold()
    return net


if __name__ == "__main__":
    main(sys.argv[1])
