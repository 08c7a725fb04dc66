"""The decoder's perceptron, under its published names."""

from torch import Tensor, nn


class Mlp(nn.Module):
    """`depth` hidden layers with GELU, then a linear one; layer widths are (inputs, hidden, outputs)."""

    def __init__(self, widths: tuple[int, int, int], depth: int) -> None:
        super().__init__()
        inputs, hidden, outputs = widths
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(hidden if number else inputs, hidden), nn.GELU()) for number in range(depth)
        )
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        for layer in self.layers:
            tokens = layer(tokens)
        return self.fc(tokens)
