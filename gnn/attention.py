"""Vectors of episodes from their content and the company they keep, learned without labels.

A node's company is attended to: a person holds several personas, and a plain mean would mix them.
Training hides a node and asks which of several candidates, drawn by popularity, belongs to the
company; every candidate attends for itself, so the attention cannot give the answer away.

Imported only where an encoder is made: PyTorch Geometric and what it imports take seconds, and
where people are too few nothing is trained.

Source: Velickovic et al. 2018 (attention); candidate-conditional attention as in AMP-CF,
arXiv:2010.07042.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax

from gnn.encoder import EncoderConfig, Sample


class Company(MessagePassing):  # type: ignore[misc]
    """Attention of nodes over the other nodes of the same person."""

    def __init__(self, size: int, heads: int, same_occasion: float) -> None:
        super().__init__(aggr="sum", node_dim=0)
        self.heads = heads
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.together = nn.Parameter(torch.full((heads,), same_occasion))

    def forward(self, kinds: Tensor, graph: Sample, targets: Tensor) -> Tensor:
        """What the company of each target says.

        Shapes: kinds (kinds, d) vectors; graph: sampled company; targets (b,) kinds
        -> (b, d), 0 where a target has no company.
        """
        parts = (-1, self.heads, kinds.shape[1] // self.heads)
        # Projected once per kind, not per edge.
        key, value, query = (layer(kinds) for layer in (self.key, self.value, self.query))
        made = self.propagate(
            graph.edges,
            key=(key[graph.source].view(parts), None),
            value=(value[graph.source].view(parts), None),
            query=(None, query[targets].view(parts)),
            facts=graph.facts,
            count=len(targets),
            size=(len(graph.source), len(targets)),
        )
        return torch.as_tensor(made).reshape(len(targets), -1)

    def message(
        self,
        key_j: Tensor,
        value_j: Tensor,
        query_i: Tensor,
        facts: Tensor,
        index: Tensor,
        count: int,
    ) -> Tensor:
        score = (query_i * key_j).sum(-1) / key_j.shape[-1] ** 0.5  # (e, heads)
        score = score + facts[:, :1] + facts[:, 1:] * self.together
        share: Tensor = softmax(score, index, num_nodes=count)
        return value_j * share.unsqueeze(-1)


class Encoder(nn.Module):
    """Content of a kind, and the company of a node."""

    def __init__(self, content: Tensor, start: Tensor, config: EncoderConfig) -> None:
        super().__init__()
        self.register_buffer("content", content, persistent=False)
        self.project = nn.Linear(content.shape[1], config.size, bias=False)
        self.own = nn.Parameter(start.clone())  # (kinds, d), from co-occurrence
        self.company = Company(config.size, config.heads, config.same_occasion)
        self.bias = nn.Parameter(torch.zeros(len(content)))

    def kinds(self) -> Tensor:
        """The vector of every kind, (kinds, d)."""
        made: Tensor = self.own + self.project(self.content)
        return made

    def forward(self, graph: Sample, candidates: Tensor) -> Tensor:
        """How well each candidate goes with the company; each attends for itself.

        Shapes: candidates (c, b) kinds -> (b, c).
        """
        kinds = self.kinds()
        scores = []
        for candidate in candidates:
            company = self.company(kinds, graph, candidate)
            scores.append((company * kinds[candidate]).sum(-1) + self.bias[candidate])
        return torch.stack(scores, 1)

    def vectors(self, kinds: Tensor, graph: Sample, targets: Tensor, own: float) -> Tensor:
        """What nodes of these kinds are, in their company -> (b, d) of unit length."""
        company = F.normalize(self.company(kinds, graph, targets), dim=-1)
        return F.normalize(own * F.normalize(kinds[targets], dim=-1) + company, dim=-1)
