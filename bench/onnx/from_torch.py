"""Nets by PyTorch, exported by its two exporters."""

import io

import torch
from torch import nn

from models import N_TRAIN, NUMBERS, scaled


class Plain(nn.Module):
    """Batch normalisation, ReLU, dropout; a probability."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1)
        )

    def forward(self, x):
        return torch.sigmoid(self.layers(x)).squeeze(-1)


class Logits(nn.Module):
    """Layer normalisation, GELU, SiLU, an embedding of the last column; two logits."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(2, 3)
        self.first, self.norm = nn.Linear(6, 12), nn.LayerNorm(12)
        self.second, self.last = nn.Linear(12, 12), nn.Linear(12, 2)

    def forward(self, x):
        senior = self.embedding(x[:, 3].to(torch.int64))
        hidden = nn.functional.gelu(self.norm(self.first(torch.cat([x[:, :3], senior], dim=1))))
        return self.last(hidden + nn.functional.silu(self.second(hidden)))


class Softmax(nn.Module):
    """ELU, leaky ReLU, softplus and clamped inputs; a softmax."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 10), nn.Linear(10, 10), nn.Linear(10, 2)

    def forward(self, x):
        hidden = nn.functional.elu(self.first(x.clamp(-2.0, 2.0)))
        hidden = nn.functional.leaky_relu(self.second(hidden), 0.1)
        return nn.functional.softmax(self.last(nn.functional.softplus(hidden)), dim=1)


def train(net, x, y, loss):
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()
    return net.eval()


def export(fixtures):
    torch.manual_seed(7)
    torch.set_num_threads(1)
    x = torch.from_numpy(scaled(fixtures.table.iloc[:N_TRAIN]))
    tried = scaled(fixtures.rows)
    y = torch.from_numpy(fixtures.y[:N_TRAIN])
    nll = lambda p, y: nn.functional.nll_loss(p.log(), y)
    cases = {
        "torch_sigmoid": (Plain(), y.float(), nn.functional.binary_cross_entropy),
        "torch_logits": (Logits(), y, nn.functional.cross_entropy),
        "torch_softmax": (Softmax(), y, nll),
    }
    for name, (net, target, loss) in cases.items():
        train(net, x, target, loss)
        batch = {0: torch.export.Dim("batch")}
        program = torch.onnx.export(net, (x[:2],), dynamo=True, dynamic_shapes=(batch,), input_names=["x"], verbose=False)
        fixtures.add(name, program.model_proto, NUMBERS, tried)
    legacy = io.BytesIO()
    torch.onnx.export(
        cases["torch_logits"][0], (x[:2],), legacy, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}}
    )
    fixtures.add("torch_legacy", legacy.getvalue(), NUMBERS, tried)
