"""The network whose weights may be handed in instead of a whole model.

from network import build
from safetensors.torch import save_file

network = build()
...  # train it
save_file(network.state_dict(), "model.safetensors")
"""

from torch import Tensor, nn


class Network(nn.Module):
    """Grey values from 0 to 1, (n, 28, 28), to a score for each digit, (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.near = self.block(1, 32)
        self.far = self.block(32, 64)
        self.read_out = nn.Linear(64 * 7 * 7, 10)

    @staticmethod
    def block(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.read_out(self.far(self.near(images.unsqueeze(1))).flatten(1))
        return scores


def build() -> nn.Module:
    """The empty network; the platform calls this and loads the weights that were handed in."""
    return Network()
