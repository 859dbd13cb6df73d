# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxruntime==1.31.1",
#     "onnxscript==0.7.2",
#     "torch==2.12.0",
# ]
# ///
"""Networks of the usual shapes, tiny, as PyTorch's two exporters write them: `uv run tests/corpus/torch_exports.py` writes `torch/<case>/`.

`<network>_script` comes from the TorchScript exporter (`dynamo=False`), `<network>_dynamo` from the newer one. Weights are random with fixed seeds.
"""

import io
import sys
import warnings

import numpy as np
import onnx
import torch
from case import report, write_case
from torch import nn
from torch.nn import functional

GROUP = "torch"


class ResidualBlock(nn.Module):
    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(width_in, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        self.skip = nn.Sequential(nn.Conv2d(width_in, width, 1, stride, bias=False), nn.BatchNorm2d(width)) if stride > 1 else nn.Identity()

    def forward(self, x):
        return functional.relu(self.second(self.first(x)) + self.skip(x))


class InvertedResidual(nn.Module):
    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        wide = width * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, 1, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.Hardswish(),
            nn.Conv2d(wide, width, 1, bias=False), nn.BatchNorm2d(width),
        )
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, width, 1), nn.Hardsigmoid())

    def forward(self, x):
        y = self.layers(x)
        return x + y * self.squeeze(y)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU())
        self.bottom = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.LeakyReLU(0.1))
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        skip = self.down(x)
        y = self.bottom(functional.max_pool2d(skip, 2))
        grown = self.up(y) + functional.interpolate(y[:, :4], scale_factor=2.0, mode="bilinear", align_corners=False)
        return torch.sigmoid(self.out(torch.cat([grown, skip], dim=1)))


class VisionTransformer(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 2, 32, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 5))

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(tokens.shape[0], -1, -1), tokens], dim=1) + self.places
        return self.head(self.encoder(tokens)[:, 0])


class BertLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.norm, self.last_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x, bias):
        batch, length, width = x.shape

        def split(y):
            return y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

        scores = split(self.query(x)) @ split(self.key(x)).transpose(-1, -2) / (width // self.heads) ** 0.5 + bias
        mixed = (torch.softmax(scores, -1) @ split(self.value(x))).transpose(1, 2).reshape(batch, length, width)
        x = self.norm(x + self.output(mixed))
        return self.last_norm(x + self.outer(functional.gelu(self.inner(x))))


class Bert(nn.Module):
    def __init__(self, words: int = 50, width: int = 16) -> None:
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(words, width), nn.Embedding(32, width), nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(BertLayer(width, 2) for _ in range(2))
        self.pool = nn.Linear(width, width)

    def forward(self, ids, mask, kinds):
        places = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0)
        x = self.norm(self.words(ids) + self.places(places) + self.kinds(kinds))
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, bias)
        return x, torch.tanh(self.pool(x[:, 0]))


class Recurrent(nn.Module):
    def __init__(self, kind, **options) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 6)
        self.recurrent = kind(6, 5, batch_first=True, **options)
        self.head = nn.Linear(10 if options.get("bidirectional") else 5, 3)

    def forward(self, ids):
        y, _ = self.recurrent(self.words(ids))
        return functional.log_softmax(self.head(y[:, -1]), dim=-1)


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 8), nn.ELU(), nn.Linear(8, 3), nn.Tanh())
        self.decoder = nn.Sequential(nn.Linear(3, 8), nn.Softplus(), nn.Linear(8, 12))

    def forward(self, x):
        code = self.encoder(x)
        rebuilt = self.decoder(code)
        return code, rebuilt, ((x - rebuilt) ** 2).mean(dim=1).sqrt()


class PoweredSum(nn.Module):
    """A loop whose length is known only at run time, and a branch."""

    def forward(self, x, n: int):
        total = torch.zeros_like(x)
        for step in range(n):
            if step % 2 == 0:
                total = total + x
            else:
                total = total * x
        return total


def attention_block():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(16, 48)

        def forward(self, x):
            batch, length, _ = x.shape
            query, key, value = self.qkv(x).view(batch, length, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            return mixed.transpose(1, 2).flatten(2)

    return Block()


def networks():
    """Name, network, inputs, and their names with the axes that may vary."""
    image = torch.rand(2, 3, 16, 16)
    ids = torch.randint(0, 20, (2, 7))
    yield "mlp", nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 3), nn.Softmax(-1)), (torch.rand(4, 6),), {"x": {0: "batch"}}
    cnn = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.PReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(72, 4))
    yield "cnn", cnn, (image,), {"x": {0: "batch"}}
    resnet = nn.Sequential(nn.Conv2d(3, 6, 7, 2, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1), ResidualBlock(6, 6, 1), ResidualBlock(6, 12, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
    yield "resnet", resnet, (torch.rand(2, 3, 32, 32),), {"x": {0: "batch"}}
    mobilenet = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.Hardswish(), InvertedResidual(6, 3), InvertedResidual(6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    yield "mobilenet", mobilenet, (image,), {"x": {0: "batch"}}
    yield "unet", UNet(), (torch.rand(2, 1, 16, 16),), {"x": {0: "batch"}}
    yield "vit", VisionTransformer(), (image,), {"x": {0: "batch"}}
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    kinds = torch.tensor([[0] * 4 + [1] * 3, [0] * 7])
    yield "bert", Bert(), (torch.randint(0, 50, (2, 7)), mask, kinds), {name: {0: "batch", 1: "length"} for name in ("ids", "mask", "kinds")}
    yield "lstm", Recurrent(nn.LSTM), (ids,), {"ids": {0: "batch"}}
    yield "lstm_bidirectional", Recurrent(nn.LSTM, num_layers=2, bidirectional=True), (ids,), {"ids": {0: "batch"}}
    yield "gru", Recurrent(nn.GRU, num_layers=2), (ids,), {"ids": {0: "batch"}}
    yield "rnn", Recurrent(nn.RNN, bidirectional=True), (ids,), {"ids": {0: "batch"}}
    conv1d = nn.Sequential(nn.Conv1d(2, 6, 5, 2, 2), nn.BatchNorm1d(6), nn.ReLU(), nn.Conv1d(6, 6, 3, padding=2, dilation=2), nn.Mish(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 2))
    yield "conv1d", conv1d, (torch.rand(3, 2, 24),), {"x": {0: "batch"}}
    yield "autoencoder", Autoencoder(), (torch.rand(4, 12),), {"x": {0: "batch"}}
    yield "attention", attention_block(), (torch.rand(2, 6, 16),), {"x": {0: "batch", 1: "length"}}


def export_script(network, inputs, axes) -> onnx.ModelProto:
    file = io.BytesIO()
    torch.onnx.export(network, inputs, file, input_names=list(axes), dynamic_axes=axes, opset_version=17, dynamo=False)
    return onnx.load_from_string(file.getvalue())


class Named(nn.Module):
    """A network whose input has a name: layers in sequence call theirs `input`."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return self.layers(x)


def export_dynamo(network, inputs, axes) -> onnx.ModelProto:
    network = Named(network).eval() if isinstance(network, nn.Sequential) else network
    shapes = tuple({axis: torch.export.Dim(name) for axis, name in varying.items()} for varying in axes.values())
    shared: dict[str, torch.export.Dim] = {}
    shapes = tuple({axis: shared.setdefault(dim.__name__, dim) for axis, dim in varying.items()} for varying in shapes)
    shapes = (shapes,) if isinstance(network, nn.Sequential) else shapes
    return torch.onnx.export(network, inputs, input_names=list(axes), dynamic_shapes=shapes, dynamo=True, verbose=False).model_proto


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without notes on where in which source file a node comes from: they are larger than the network."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
    return model


def main() -> None:
    warnings.simplefilter("ignore")
    only = sys.argv[1:]
    sizes, failures = {}, {}

    def attempt(name, export):
        if only and name not in only:
            return
        try:
            model, inputs = export()
            names = [value.name for value in model.graph.input]
            arrays = {name: np.asarray(value) for name, value in zip(names, inputs, strict=True)}
            sizes[name] = write_case(GROUP, name, without_traces(model), arrays)
        except Exception as error:  # noqa: BLE001: whatever an exporter or the runtime says
            failures[name] = f"{type(error).__name__}: {str(error).strip()[:300]}"

    torch.manual_seed(0)
    for name, network, inputs, axes in networks():
        network.eval()
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                    module.running_mean.normal_(0, 0.1)
                    module.running_var.uniform_(0.5, 1.5)
        attempt(f"{name}_script", lambda: (export_script(network, inputs, axes), inputs))
        attempt(f"{name}_dynamo", lambda: (export_dynamo(network, inputs, axes), inputs))

    def loop():
        inputs = (torch.tensor([0.5, 1.5, -2.0]), torch.tensor(5))
        return export_script(torch.jit.script(PoweredSum()), inputs, {"x": {}, "n": {}}), inputs

    attempt("loop_script", loop)
    for name, reason in failures.items():
        print(f"{name}: {reason}")
    if not only:
        report(GROUP, sizes)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
