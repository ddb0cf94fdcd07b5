"""The parts of the page Index: which videos it holds, and adding to them."""
