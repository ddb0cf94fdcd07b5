"""The command ``dns``: one small module a group of commands, heavy imports inside the commands."""
