"""How far a long run is: a line on standard error that is drawn again every second, where that is a terminal; elsewhere nothing.

As tools/progress.h for the C programs: "label [#####      ]  21 %", taken away before anything else is printed.
"""
import contextlib
import shutil
import sys
import threading
import time

WIDTH = 24


class Bar:
    def __init__(self, steps, out=sys.stderr):
        self.out, self.steps, self.done, self.label, self.shown = out, steps, -1, "", False
        self.began, self.lock, self.end = time.monotonic(), threading.Lock(), threading.Event()
        if out.isatty():
            threading.Thread(target=self._draw_again, daemon=True).start()

    def _draw_again(self):
        while not self.end.wait(1):
            with self.lock:
                self._draw()

    def _draw(self):
        if self.done < 0 or self.end.is_set():
            return
        share = self.done / self.steps if self.steps else 1
        after = f" [{'#' * int(share * WIDTH):{WIDTH}}] {100 * share:3.0f} %"
        label = f"{self.label}, {self.done + 1} of {self.steps}, {time.monotonic() - self.began:.0f} s"
        self.out.write("\r" + label[:max(8, shutil.get_terminal_size().columns - len(after) - 1)] + after + "\033[K")
        self.out.flush()
        self.shown = True

    def step(self, label):
        """The next step begins."""
        with self.lock:
            self.done, self.label = self.done + 1, label

    def detail(self, text):
        """What of this step is being done."""
        with self.lock:
            self.label = self.label.partition(":")[0] + ": " + text

    @contextlib.contextmanager
    def away(self):
        """Not there while something else is printed."""
        with self.lock:
            if self.shown:
                self.out.write("\r\033[K")
                self.out.flush()
            self.shown = False
            yield

    def print(self, text):
        """A line of the run's own, on standard output."""
        with self.away():
            print(text, flush=True)

    def finish(self):
        with self.away():
            self.end.set()
