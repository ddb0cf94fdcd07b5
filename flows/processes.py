"""Processes of runs on this machine, as workers name them."""

import socket

import psutil


def is_gone(process: str) -> bool:
    """Whether a process of this machine is not there any more; of another machine nothing is known.

    Args:
        process: ``machine:id``; empty for none.
    """
    host, _, pid = process.rpartition(":")
    return host == socket.gethostname() and pid.isdecimal() and not psutil.pid_exists(int(pid))
