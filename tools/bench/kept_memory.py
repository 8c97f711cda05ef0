"""Free memory that the host of a virtual machine does not take back.

Such a host may be told of every free block of memory (free page reporting; 128 KB and more here), takes it away within
milliseconds, and gives it again at 0.3 to 1 GB/s, which whose turn it is then pays for.  So memory is written once, and all of it
given back but for a page in each block: what is free between these is in pieces too small to be told of, and the kernel takes the
smallest pieces first.  It stays so for everybody's runs, as often as they use and free it.  Elsewhere it does no harm.
"""
import ctypes
import os

PAGE = os.sysconf("SC_PAGE_SIZE")
BLOCK = 16 * PAGE  # of which a page is kept
PIECE = bytes(1 << 20)
KEEP_SIZE, PUNCH_HOLE = 1, 2  # fallocate(2)


class KeptMemory:
    def __init__(self, folder, size):
        """`size` bytes of free memory, as a file without a name in `folder`, which is a tmpfs."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
        self.fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        for _ in range(size // len(PIECE)):
            os.write(self.fd, PIECE)
        for at in range(0, size // len(PIECE) * len(PIECE), BLOCK):
            if libc.fallocate(self.fd, KEEP_SIZE | PUNCH_HOLE, at + PAGE, BLOCK - PAGE) != 0:
                raise OSError(ctypes.get_errno(), "fallocate")

    def close(self):
        os.close(self.fd)
