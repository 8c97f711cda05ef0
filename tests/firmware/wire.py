#!/usr/bin/python3
"""wire.py - raw frames on a device, run inside a host's namespace.

  wire.py send DEVICE [RATE]   frames from standard input, one line of hexadecimal each
  wire.py flood DEVICE RATE    the same frames again and again until SIGTERM; a line with the count so far every 10 frames
  wire.py tap DEVICE           the same from the other side: as if the network had delivered them (no emulator may hold the tap)
RATE is in frames a second.
"""
import fcntl
import os
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


def main():
    what, device = sys.argv[1:3]
    rate = float(sys.argv[3]) if len(sys.argv) > 3 else 2000
    frames = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    if what == "tap":
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
        for frame in frames:
            os.write(tap, frame)
        return
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    begin, sent = time.monotonic(), 0
    while True:
        for frame in frames:
            wait = begin + sent / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            s.send(frame)
            sent += 1
            if what == "flood" and sent % 10 == 0:
                print(sent, flush=True)
        if what == "send":
            return


if __name__ == "__main__":
    main()
