"""A tmpfs with pages of 2 MB that no path shows and that is gone with this process: from memory to memory the link is measured, and
not what a kernel does for each page of 4 KB of a file.  A kernel that has no such pages gives small ones.

What lies in it stays from run to run.  On a virtual machine whose host takes free memory back the first touch of 4 GB costs 15 s, and
a run after that is another one than a run in memory that is there.
"""
import ctypes
import os

CREATE, SET_STRING, CLOEXEC = 6, 1, 1  # fsconfig(2), fsopen(2)


class HugeMemory:
    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        fs = libc.fsopen(b"tmpfs", CLOEXEC)
        if fs >= 0:
            libc.fsconfig(fs, SET_STRING, b"huge", b"always", 0)
        if fs < 0 or libc.fsconfig(fs, CREATE, None, None, 0) != 0:
            raise OSError(ctypes.get_errno(), "a tmpfs (which needs root)")
        self.fd = libc.fsmount(fs, CLOEXEC, 0)
        os.close(fs)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "a tmpfs (which needs root)")

    def path(self):
        """For our children."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def close(self):
        os.close(self.fd)
