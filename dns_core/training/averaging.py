"""The mean of a network's weights over the last steps of its training: what single steps jitter about."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class RunningMean:
    """An exponentially weighted mean of the weights of a network in training.

    The mean reaches over all steps while they are few, so that it does not lag behind a start.

    Args:
        network: whose weights are averaged; the mean begins with those that it has now.
        decay: weight of the mean of the steps before, in [0, 1): 0 is the network itself.

    Reference: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; as used for
    teachers by Tarvainen and Valpola, NeurIPS 2017 (arXiv 1703.01780), section 3.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network = network
        self._decay = decay
        self._n_steps = 0
        self._mean = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def step(self) -> None:
        """Take in the weights that the network has now."""
        self._n_steps += 1
        share = 1 - min(self._decay, self._n_steps / (self._n_steps + 10))
        for name, value in self._network.state_dict().items():
            if value.is_floating_point():
                self._mean[name].lerp_(value, share)
            else:
                self._mean[name].copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the network has the mean as its weights."""
        own = {name: value.detach().clone() for name, value in self._network.state_dict().items()}
        self._network.load_state_dict(self._mean)
        try:
            yield
        finally:
            self._network.load_state_dict(own)

    def state(self) -> dict[str, Tensor | int]:
        """What `load` takes to go on from here."""
        return {"steps": self._n_steps, **{f"mean.{name}": value for name, value in self._mean.items()}}

    def load(self, state: dict[str, Tensor | int]) -> None:
        """Go on from what `state` gave."""
        self._n_steps = int(state["steps"])
        for name, value in self._mean.items():
            value.copy_(torch.as_tensor(state[f"mean.{name}"]))
