"""The reference's evaluation on public benchmarks, with its numbers and ours beside them."""
