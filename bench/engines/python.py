"""PyTorch and OpenCV as engines: JSON lines on stdin and stdout, the protocol of bench/worker.mjs.

usage: python.py torch|opencv
"""

import json
import sys
import time

import numpy as np

SAMPLES = 997


def mix(i, seed):
    x = (i + seed * 0x9E3779B9) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x21F0AAAD) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x735A2D97) & 0xFFFFFFFF
    return x ^ (x >> 15)


def values(kind, dims, seed, scale=1.0):
    h = mix(np.arange(int(np.prod(dims)), dtype=np.uint64), seed)
    if kind == "uint8":
        return (h & 255).astype(np.uint8).reshape(dims)
    return (((h >> np.uint64(8)).astype(np.float64) / 8388608 - 1) * scale).astype(np.float32).reshape(dims)


def weights(w):
    taps = int(np.prod(w["weight"][2:]))
    lead = w["weight"][0] // w["options"]["groups"] if w["op"] == "convTranspose2d" else w["weight"][1]
    scale = 2.0 ** -np.ceil(np.log2(np.sqrt(lead * taps)))
    channels = w["output"][3 if w["layout"] == "nhwc" else 1]
    return values("float32", w["weight"], 2, scale), values("float32", [channels], 3)


def unpool_indices(w):
    last = w["layout"] == "nhwc"
    h, wd = w["input"][1:3] if last else w["input"][2:]
    r = mix(np.arange(np.prod(w["input"]), dtype=np.uint64), 4).reshape(w["input"]).astype(np.int64)
    y = np.arange(h).reshape([-1, 1, 1] if last else [-1, 1])
    x = np.arange(wd).reshape([-1, 1] if last else [-1])
    return ((2 * y + ((r >> 1) & 1)) * 2 * wd + 2 * x + (r & 1)).reshape(w["input"])


def peak_of(run):
    """Bytes that resident memory rises by, at most, in the first call; None where /proc cannot tell."""

    def status(name):
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith(name))

    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        run()
        return None
    before = status("VmRSS")
    run()
    return status("VmHWM") - before


class Torch:
    def __init__(self, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        self.guard = torch.inference_mode()
        self.guard.__enter__()
        self.info = dict(version=torch.__version__)

    def prepare(self, w):
        torch, o = self.torch, w["options"]
        F = torch.nn.functional
        aten = torch.ops.aten
        x = torch.from_numpy(values(w["type"], w["input"], 1))
        nhwc = w["layout"] == "nhwc"
        if nhwc:
            x = x.permute(0, 3, 1, 2)
        memory = torch.channels_last if nhwc else torch.contiguous_format
        held = {}
        variants = []

        def add(name, f, layout=w["layout"]):
            def run():
                held[name] = f()

            try:
                peak = peak_of(run)
            except Exception:
                return
            variants.append(dict(name=name, run=run, layout=layout, peak=peak, get=lambda: held[name]))

        op = w["op"]
        size = o.get("size")
        if op == "interpolate":
            kw = dict(mode=o["mode"])
            if o["mode"] in ("bilinear", "bicubic"):
                kw.update(align_corners=bool(o.get("alignCorners")), antialias=bool(o.get("antialias")))
            add("eager", lambda: F.interpolate(x, size=size, **kw))
            dims = [x.shape[0], x.shape[1]] + size
            out = torch.empty(dims, dtype=x.dtype).contiguous(memory_format=memory)
            if o["mode"] == "nearest":
                add("out", lambda: aten.upsample_nearest2d.out(x, size, None, None, out=out))
            elif o["mode"] == "area":
                add("out", lambda: aten.adaptive_avg_pool2d.out(x, size, out=out))
            else:
                f = {"bilinear": "upsample_bilinear2d", "bicubic": "upsample_bicubic2d"}[o["mode"]]
                f = getattr(aten, "_" + f + "_aa" if o.get("antialias") else f).out
                add("out", lambda: f(x, size, bool(o.get("alignCorners")), None, None, out=out))
            if not nhwc:
                xc = x.contiguous(memory_format=torch.channels_last)
                add("channels_last", lambda: F.interpolate(xc, size=size, **kw), layout="nhwc")
        elif op == "interpolateArgmax":
            add("eager", lambda: F.interpolate(x, size=size, mode="bilinear").argmax(1).to(torch.uint8))
        elif op in ("maxPool2d", "maxPool2dWithIndices"):
            indices = op != "maxPool2d"
            window = o["kernelSize"], o["stride"], o["padding"]
            add("eager", lambda: F.max_pool2d(x, *window, return_indices=indices))
            if not nhwc:
                xc = x.contiguous(memory_format=torch.channels_last)
                add("channels_last", lambda: F.max_pool2d(xc, *window, return_indices=indices), layout="nhwc")
        elif op == "maxUnpool2d":
            index = torch.from_numpy(unpool_indices(w))
            out = torch.empty(w["output"])
            if nhwc:
                index, out = index.permute(0, 3, 1, 2), out.permute(0, 3, 1, 2)
            add("eager", lambda: F.max_unpool2d(x, index, 2, 2))
            add("out", lambda: aten.max_unpool2d.out(x, index, list(out.shape[2:]), out=out))
        elif op == "pixelShuffle":
            add("eager", lambda: F.pixel_shuffle(x, o["upscaleFactor"]))
        else:
            wt, b = (torch.from_numpy(a) for a in weights(w))
            s, p = o.get("stride", 1), o.get("padding", 0)

            def call(x, wt):
                if op == "convTranspose2d":
                    return F.conv_transpose2d(x, wt, b, s, p, o.get("outputPadding", 0), o["groups"])
                if op == "resizeConv2d":
                    x, st = F.interpolate(x, scale_factor=o["scaleFactor"], mode="nearest"), 1
                else:
                    st = s
                return F.conv2d(x, wt, b, st, p, o.get("dilation", 1), o["groups"])

            if not nhwc:
                add("eager", lambda: call(x, wt))
            cl = torch.channels_last
            xc, wc = x.contiguous(memory_format=cl), wt.contiguous(memory_format=cl)
            add("channels_last", lambda: call(xc, wc), layout="nhwc")
            if op == "conv2d" and not nhwc:
                mk, d = torch.ops.mkldnn, [o.get("dilation", 1)] * 2
                try:
                    packed = mk._reorder_convolution_weight(wt, [p, p], [s, s], d, o["groups"], list(x.shape))
                    add("packed", lambda: mk._convolution_pointwise(x, packed, b, [p, p], [s, s], d, o["groups"], "none", [], ""))
                except Exception:
                    pass
            if op == "convTranspose2d" and not nhwc:
                mk, op_ = torch.ops.mkldnn, o.get("outputPadding", 0)
                try:
                    packed = mk._reorder_convolution_transpose_weight(wt, [p, p], [op_, op_], [s, s], [1, 1], o["groups"], list(x.shape))
                    add("packed", lambda: mk._convolution_transpose_pointwise(x, packed, b, [p, p], [op_, op_], [s, s], [1, 1], o["groups"], "none", [], ""))
                except Exception:
                    pass
        for v in variants:
            get = v["get"]
            v["get"] = lambda get=get: (lambda r: (r[0] if isinstance(r, tuple) else r).contiguous().numpy())(get())
        return variants


class OpenCV:
    def __init__(self, threads):
        import cv2

        self.cv2 = cv2
        cv2.setNumThreads(threads)
        self.info = dict(version=cv2.__version__)

    def prepare(self, w):
        cv2, o = self.cv2, w["options"]
        if w["op"] != "interpolate" or o.get("antialias") or o.get("alignCorners"):
            raise ValueError("resizes with half-pixel centres only")
        flag = dict(nearest=cv2.INTER_NEAREST, bilinear=cv2.INTER_LINEAR, bicubic=cv2.INTER_CUBIC, area=cv2.INTER_AREA)[o["mode"]]
        x = values(w["type"], w["input"], 1)
        h, wd = o["size"]
        if w["layout"] == "nhwc":
            if w["input"][3] > 4:
                raise ValueError("at most 4 channels")
            out = np.empty((h, wd, w["input"][3]), x.dtype)
            run = lambda: cv2.resize(x[0], (wd, h), dst=out, interpolation=flag)
            get = lambda: out.transpose(2, 0, 1)
        else:
            planes = x.reshape(-1, *w["input"][2:])
            out = np.empty((planes.shape[0], h, wd), x.dtype)

            def run():
                for p, q in zip(planes, out):
                    cv2.resize(p, (wd, h), dst=q, interpolation=flag)

            get = lambda: out
        approximate = o["mode"] == "area" and any(a % b for a, b in zip(w["input"][2:], o["size"]))
        return [dict(name="dst", run=run, get=get, layout=w["layout"], peak=peak_of(run), approximate=approximate)]


def main():
    engine, variants, w = None, [], None
    for line in sys.stdin:
        m = json.loads(line)
        try:
            reply = {}
            if m["do"] == "init":
                engine = (Torch if sys.argv[1] == "torch" else OpenCV)(m["threads"])
                reply = engine.info
            elif m["do"] == "prepare":
                w = m["workload"]
                variants = engine.prepare(w)
                reply["peak"] = variants[0]["peak"] if variants else None
                reply["variants"] = [dict(name=v["name"], layout=v["layout"], approximate=bool(v.get("approximate"))) for v in variants]
            elif m["do"] == "time":
                v = variants[m["variant"]]
                n = m["calls"]
                t = time.perf_counter()
                for _ in range(n):
                    v["run"]()
                reply["ms"] = (time.perf_counter() - t) * 1e3 / n
            elif m["do"] == "sample":
                flat = np.ascontiguousarray(variants[m["variant"]]["get"]()).reshape(-1)
                at = mix(np.arange(SAMPLES, dtype=np.uint64), 77) % flat.size
                reply["values"] = [float(v) for v in flat[at.astype(np.int64)]]
            reply["ok"] = True
        except Exception as e:
            reply = dict(ok=False, reason="%s: %s" % (type(e).__name__, str(e)[:200]))
        print(json.dumps(reply), flush=True)


main()
