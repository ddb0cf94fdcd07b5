"""The parts of the page Query: asking, waiting, the answer, one match."""
