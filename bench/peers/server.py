"""Processes that measure when they are told to, and whole processes that are measured."""

import json
import os
import subprocess
import time


class Server:
    """A contender that waits for questions; `about` is what it says of itself when it is ready."""

    def __init__(self, contender, words):
        self.process = subprocess.Popen(
            [str(word) for word in (*contender.command, *words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=contender.environment,
        )
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a contender ended early: {' '.join(self.process.args)}")
        return json.loads(line)

    def ask(self, what, seconds):
        """A measurement of about that length: runs per second and per second of CPU time."""
        self.process.stdin.write(f"{what} {seconds}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def in_turn(servers, what, rounds, seconds):
    """A B C A B C ...: by name, what each answered in every round."""
    answers = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            answers[name].append(server.ask(what, seconds))
    return answers


def run_timed(contender, words):
    """Runs a whole process: what it says, its seconds, seconds of CPU time and largest memory."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in (*contender.command, *words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=contender.environment,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"a contender failed: {' '.join(process.args)}")
    seconds = time.perf_counter() - begin
    return {
        **json.loads(output),
        "seconds": seconds,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "resident_mb": usage.ru_maxrss / 1000,
    }
