"""The rim: one module per outside tool."""
