import pytest
import torch
from torch import nn

from dns_core.training.averaging import RunningMean


def a_network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))


def walk(network: nn.Sequential, mean: RunningMean, to: float) -> None:
    with torch.no_grad():
        network[0].get_parameter("weight").fill_(to)
        network[1].get_buffer("num_batches_tracked").add_(1)
    mean.step()


def weight(network: nn.Sequential) -> float:
    return float(network[0].get_parameter("weight").detach())


def held(network: nn.Sequential, mean: RunningMean) -> float:
    with mean.in_place():
        return weight(network)


def test_few_steps_weigh_much_and_many_as_the_decay_says() -> None:
    network = a_network()
    with torch.no_grad():
        network[0].get_parameter("weight").fill_(0.0)
    mean = RunningMean(network, 0.5)
    walk(network, mean, 11.0)
    assert held(network, mean) == pytest.approx(11 * (1 - 1 / 11))
    for _ in range(20):
        walk(network, mean, 4.0)
    before = held(network, mean)
    walk(network, mean, 8.0)
    assert held(network, mean) == pytest.approx((before + 8) / 2)


def test_no_decay_is_the_network_itself_bit_for_bit() -> None:
    network = a_network()
    mean = RunningMean(network, 0.0)
    for value in (0.1, 0.7, -0.3):
        walk(network, mean, value)
        assert held(network, mean) == weight(network)


def test_the_network_gets_its_own_weights_back_also_after_an_error() -> None:
    network = a_network()
    mean = RunningMean(network, 0.9)
    walk(network, mean, 5.0)
    assert held(network, mean) != 5
    with pytest.raises(ZeroDivisionError), mean.in_place():
        raise ZeroDivisionError
    assert weight(network) == 5
    with mean.in_place():
        assert int(network[1].get_buffer("num_batches_tracked")) == 1


def test_a_mean_goes_on_where_it_was() -> None:
    network = a_network()
    first = RunningMean(network, 0.9)
    for value in (1.0, 2.0):
        walk(network, first, value)
    second = RunningMean(network, 0.9)
    second.load(first.state())
    walk(network, first, 3.0)
    second.step()
    assert held(network, second) == held(network, first)
