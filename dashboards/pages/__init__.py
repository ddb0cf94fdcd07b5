"""One module a page; its `render` draws it."""
