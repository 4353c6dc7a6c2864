#!/usr/bin/env python3
"""CPU cost of tollgate beside nginx and HAProxy, in one interleaved run.

All proxies run at once, idle, on one core. One thread on another core is both the clients and the
application. Slices of load under a second go round the proxies in random order, so that every
comparison is between neighbours in time. What counts is the ratio of CPU microseconds per request.

    python3 loadtest/bench.py --reps 10
    python3 loadtest/bench.py --phases allowed --gate 'allowed:tollgate/haproxy-full<=0.75'

Phases:
  pass     a POST that no rule is about, forwarded
  allowed  a guarded send, within its limits, forwarded
  refused  a guarded send over its limit, answered 429
  latency  a guarded send at half of the load that the slowest of the proxies can take, open loop

Gates: PHASE:TARGET/BASE<=X on the median ratio of CPU per request; the phase latency also knows
latency:TARGET/BASE:p50<=X and :p99. Exit status 1 if a ratio is above, or was not measured.

Load goes to 127.0.0.1 only. Every slice is bounded in requests and time, and so is the whole run.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import random
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SEND = "/api/auth/send-otp"
UNGUARDED = "/api/profile"


@dataclasses.dataclass(frozen=True)
class Peer:
    """A program that is measured; it listens on the ports PLAIN and GUARDED of its config."""

    program: str
    template: str
    command: tuple
    install: str


@dataclasses.dataclass(frozen=True)
class Target:
    """One way through a program."""

    peer: str
    port: str
    mix_refused: str | None = None  # load that it answers with 429


@dataclasses.dataclass(frozen=True)
class Phase:
    title: str
    targets: tuple
    path: str
    status: str = "200"


PEERS = {
    "nginx": Peer("nginx", "nginx.conf", ("-e", "stderr", "-p", "@DIR@", "-c"), "apt-get install nginx"),
    "haproxy": Peer("haproxy", "haproxy.cfg", ("-db", "-f"), "apt-get install haproxy"),
    "tollgate": Peer("tollgate", "tollgate.toml", ("run", "--config"), "cargo build --release --workspace"),
}
TARGETS = {
    "nginx": Target("nginx", "PLAIN"),
    "nginx-limit": Target("nginx", "GUARDED", "one-address"),
    "haproxy": Target("haproxy", "PLAIN"),
    "haproxy-full": Target("haproxy", "GUARDED", "one-number"),
    "tollgate": Target("tollgate", "PLAIN", "one-number"),
}
PHASES = {
    "pass": Phase("Pass-through: an unguarded POST", ("nginx", "haproxy", "tollgate"), UNGUARDED),
    "allowed": Phase("Allowed: a guarded send within its limits", ("nginx-limit", "haproxy-full", "tollgate"), SEND),
    "refused": Phase("Refused: a guarded send over its limit, 429", ("nginx-limit", "haproxy-full", "tollgate"), SEND, "429"),
    "latency": Phase("Latency at half load, open loop", ("nginx", "haproxy-full", "tollgate"), SEND),
}
# For HAProxy's country rule; the classes are made up, the length of the list is about right.
DEAR = "216 222 224 232 239 252 257 261 269 375 53 670 675 677 678 686 688 960 967 992 994".split()
CHEAP = """1 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 54 55 56 57 58 60 61 62 63 64 65 66 7 81 82 84 86 90
91 92 93 94 95 98 211 212 213 218 220 221 223 225 226 227 228 229 230 231 233 234 235 236 237 238 240 241 242 243 244 245
248 249 250 251 253 254 255 256 258 260 262 263 264 265 266 267 268 297 298 299 350 351 352 353 354 355 356 357 358 359 370
371 372 373 374 376 377 378 380 381 382 383 385 386 387 389 420 421 423 501 502 503 504 505 506 507 508 509 590 591 592 593
594 595 596 597 598 599 852 853 855 856 880 886 961 962 963 964 965 966 968 970 971 972 973 974 975 976 977 993 995 996
998""".split()


class Problem(Exception):
    """Something the reader can act on."""


# ---------------------------------------------------------------- processes


class Process:
    """A child on one core, shielded from whatever else the machine does, as far as that is allowed."""

    def __init__(self, command, core, shield, log, talks=False):
        self.log = log
        with open(log, "wb") as out:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else out,
                stderr=out,
                start_new_session=True,
                preexec_fn=lambda: place(core, shield),
            )

    def family(self):
        """Its process ids: the child's and its descendants'."""
        children = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(name))
        found, todo = [], [self.child.pid]
        while todo:
            found.append(todo.pop())
            todo += children.get(found[-1], [])
        return found

    def threads(self, family):
        """{thread: (nanoseconds on a core, nanoseconds kept waiting for one)}."""
        times = {}
        for pid in family:
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
                        ran, waited, _ = stat.read().split()
                        times[thread] = int(ran), int(waited)
        return times

    def memory(self, family):
        """Proportional set size in MB."""
        kilobytes = 0
        for pid in family:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as rollup:
                kilobytes += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return kilobytes / 1024

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-1200:].strip()

    def stop(self):
        family = self.family()
        if self.child.poll() is None:
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(3)
        if self.child.poll() is None:
            # Only then, and only its own: workers of a master that was killed would stay.
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.child.wait()


def place(core, shield):
    """Between fork and exec: the core, and real-time round robin so that nobody else's work is measured."""
    os.sched_setaffinity(0, {core})
    if shield:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))


def may_shield():
    """Whether this user may use real-time scheduling; tried in a child, since it cannot always be taken back."""
    probe = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True).returncode == 0


def wait_for(port, process, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.child.poll() is not None:
            raise Problem(f"exited with status {process.child.returncode} before it listened {process.last_words()}".rstrip())
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        time.sleep(0.03)
    raise Problem(f"does not listen on 127.0.0.1:{port} after {seconds} s {process.last_words()}".rstrip())


def free_ports(n):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Agent(Process):
    """`tollgate-loadtest agent`: clients and application in one thread."""

    def __init__(self, program, core, shield, log):
        super().__init__([program, "agent"], core, shield, log, talks=True)
        self.buffer = b""
        self.upstream = self.answer(10)["upstream"]
        self.pids = self.family()

    def load(self, **options):
        port = options.pop("port")
        words = [str(port)] + [f"--{name}={value}" for name, value in options.items()]
        self.child.stdin.write((" ".join(words) + "\n").encode())
        self.child.stdin.flush()
        answer = self.answer(options["milliseconds"] / 1000 + 20)
        if "error" in answer:
            raise Problem(answer["error"])
        return answer

    def answer(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Problem("the load generator does not answer")
            part = os.read(self.child.stdout.fileno(), 65536)
            if not part:
                raise Problem(f"the load generator ended: {self.last_words()}")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)


class Proxy:
    """A running peer."""

    def __init__(self, name, program, upstream, options, directory):
        peer = PEERS[name]
        self.name, self.dir = name, os.path.join(directory, name)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        plain, guarded, admin = free_ports(3)
        self.ports = {"PLAIN": plain, "GUARDED": guarded}
        values = {"DIR": self.dir, "UPSTREAM": upstream, "ADMIN": admin, **self.ports}
        config = os.path.join(self.dir, peer.template)
        with open(os.path.join(HERE, "bench", peer.template)) as template, open(config, "w") as out:
            out.write(filled(template.read(), values))
        with open(os.path.join(self.dir, "country.map"), "w") as out:
            out.writelines(f"+{code} {kind}\n" for kind, codes in (("cheap", CHEAP), ("dear", DEAR)) for code in codes)
        command = [program, *(filled(word, values) for word in peer.command), config]
        self.process = Process(command, options.proxy_core, options.shield, os.path.join(self.dir, "log"))
        try:
            wait_for(plain, self.process)
        except Problem:
            self.process.stop()
            raise
        time.sleep(0.3)  # workers, and whatever a program still reads at its start
        self.pids = self.process.family()
        self.idle_mb = self.process.memory(self.pids)
        self.offset = 1000  # the next number and address that it has not seen


def filled(text, values):
    return re.sub(r"@([A-Z]+)@", lambda found: str(values[found[1]]), text)


# ---------------------------------------------------------------- programs


def find_programs(options, wanted):
    """{peer: path}; says what is missing and how to get it."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = {}
    for name in sorted({TARGETS[target].peer for target in wanted}):
        path = tollgate(options) if name == "tollgate" else shutil.which(PEERS[name].program, path=search)
        if path:
            found[name] = path
        else:
            where = f"there is no program at {options.tollgate}" if name == "tollgate" and options.tollgate else "it is not installed"
            print(f"{name}: skipped, {where}; to measure it: {PEERS[name].install}", flush=True)
    return found


def tollgate(options):
    if options.tollgate:
        return options.tollgate if os.access(options.tollgate, os.X_OK) else None
    return built("tollgate", ["--workspace"])


def built(name, what):
    """The path of a release binary; built if it is not there. None, with cargo's words, if that fails."""
    path = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", name)
    if not os.access(path, os.X_OK):
        print(f"{name}: not built yet, running cargo build --release {' '.join(what)}", flush=True)
        try:
            subprocess.run(["cargo", "build", "--quiet", "--release", *what], cwd=ROOT, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name}: not built: {error}", flush=True)
    return path if os.access(path, os.X_OK) else None


# ---------------------------------------------------------------- slices


def slice_of(phase_name, target_name, proxy, agent, options, rate=0):
    """One warm-up and one measured slice; returns a row of the result."""
    phase, target = PHASES[phase_name], TARGETS[target_name]
    refused = phase.status == "429"
    load = {
        "port": proxy.ports[target.port],
        "path": phase.path,
        "mix": target.mix_refused if refused else "spread",
        "connections": options.connections,
        "rate": rate,
        "requests": options.requests,
    }
    milliseconds = round(options.seconds * 1000)
    warm = agent.load(**load, offset=proxy.offset, milliseconds=max(50, milliseconds // 6))
    proxy.offset += warm["sent"] + warm["unsent"]
    ours = proxy.process.threads(proxy.pids)
    others = agent.threads(agent.pids)
    stolen = steal(options)
    answer = agent.load(**load, offset=proxy.offset, milliseconds=milliseconds)
    ours_after = proxy.process.threads(proxy.pids)
    others_after = agent.threads(agent.pids)
    stolen = (steal(options) - stolen) / answer["seconds"]
    kept = max(spent(ours, ours_after, 1), spent(others, others_after, 1)) / 1e9 / answer["seconds"]
    proxy.offset += answer["sent"] + answer["unsent"]
    if proxy.process.child.poll() is not None:
        raise Problem(f"it exited with status {proxy.process.child.returncode} {proxy.process.last_words()}".rstrip())
    wall = answer["seconds"]
    n_right = answer["statuses"].get(phase.status, 0)
    cpu = spent(ours, ours_after, 0)
    n_unforwarded = abs(n_right - answer["upstream"]) if phase.status == "200" else 0
    return {
        "phase": phase_name,
        "target": target_name,
        "rate": rate,
        "requests": answer["sent"],
        "per_second": answer["sent"] / wall,
        "cpu": cpu / 1000 / max(1, answer["sent"]),
        "busy": cpu / 1e9 / wall,
        # Only other work on the two cores can keep these waiting, or take the cores away; and a thread that has
        # ended took the record of its time with it.
        "disturbed": kept > 0.05 or stolen > 0.05 or not ours.keys() <= ours_after.keys(),
        "wrong": answer["sent"] - n_right + n_unforwarded + answer["unsent"],
        "statuses": answer["statuses"],
        "fault": answer["fault"],
        "p50": answer["latency_us"]["p50"],
        "p99": answer["latency_us"]["p99"],
        "late_p99": answer["sent_late_us"]["p99"],
        "pss_mb": proxy.process.memory(proxy.pids),
    }


def spent(before, after, column):
    return sum(times[column] - before.get(thread, (0, 0))[column] for thread, times in after.items())


def steal(options):
    """Seconds that the host has taken from the two cores."""
    names = {f"cpu{options.proxy_core}", f"cpu{options.load_core}"}
    with open("/proc/stat") as stat:
        ticks = sum(int(line.split()[8]) for line in stat if line.split()[0] in names)
    return ticks / os.sysconf("SC_CLK_TCK")


def is_wrong(row):
    """A handful may differ: a limit lets a request through every minute or two."""
    return row["wrong"] > 3 + row["requests"] // 1000 or row["requests"] == 0


def measure(options, phases, programs):
    """All slices, in rounds; returns their rows and {peer: (MB idle, MB at the end)}."""
    rows, dice = [], random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as directory, contextlib.ExitStack() as stack:
        os.chmod(directory, 0o755)
        agent = Agent(options.loadtest, options.load_core, options.shield, os.path.join(directory, "agent.log"))
        stack.callback(agent.stop)
        proxies = {}
        for name, program in programs.items():
            try:
                proxies[name] = Proxy(name, program, agent.upstream, options, directory)
                stack.callback(proxies[name].process.stop)
            except (Problem, OSError) as problem:
                print(f"{name}: skipped, it {problem}" if isinstance(problem, Problem) else f"{name}: skipped: {problem}", flush=True)
        session = Session(options, proxies, agent, dice)
        session.run(phases, rows)
        memory = {name: (proxy.idle_mb, proxy.process.memory(proxy.pids)) for name, proxy in session.proxies.items()}
    return rows, memory


class Session:
    def __init__(self, options, proxies, agent, dice):
        self.options, self.proxies, self.agent, self.dice = options, proxies, agent, dice
        self.end = time.monotonic() + options.max_minutes * 60

    def targets(self, phase):
        only = self.options.only
        return [name for name in PHASES[phase].targets if TARGETS[name].peer in self.proxies and (not only or name in only)]

    def run(self, phases, rows):
        rate = self.half_load() if "latency" in phases else 0
        for rep in range(self.options.reps):
            if self.end < time.monotonic():
                print(f"stopped after {rep} rounds: --max-minutes {self.options.max_minutes}", flush=True)
                return
            for phase in self.dice.sample(phases, len(phases)):
                targets = self.targets(phase)
                for target in self.dice.sample(targets, len(targets)):
                    row = self.slice(phase, target, rate if phase == "latency" else 0)
                    if row:
                        rows.append({"rep": rep, **row})
                    time.sleep(self.options.gap)
            print(f"round {rep + 1} of {self.options.reps}", file=sys.stderr, flush=True)

    def half_load(self):
        """Half of what the slowest can take: every proxy then has the same load to carry, and can."""
        if self.options.rate:
            return self.options.rate
        seen = {}
        for _ in range(3):
            for target in self.targets("latency"):
                row = self.slice("latency", target, 0)
                if row:
                    seen.setdefault(target, []).append(row["per_second"])
        return round(min((statistics.median(rates) for rates in seen.values()), default=2000) / 2)

    def slice(self, phase, target, rate):
        peer = TARGETS[target].peer
        if peer not in self.proxies:
            return None
        try:
            row = slice_of(phase, target, self.proxies[peer], self.agent, self.options, rate)
        except Problem as problem:
            if self.agent.child.poll() is not None:
                raise
            print(f"{target} {phase}: dropped, {problem}", flush=True)
            self.proxies.pop(peer)
            return None
        if is_wrong(row):
            print(f"{target} {phase}: {row['wrong']} of {row['requests']} answers are not {PHASES[phase].status}: {row['statuses']} {row['fault'] or ''}", flush=True)
        return row


# ---------------------------------------------------------------- report


def interval(values):
    """(median, low, high): the 95 % interval of the median from order statistics; None below six values."""
    values = sorted(values)
    n = len(values)
    below, at = 0.0, 0  # P(fewer than at+1 of n fair coins show heads)
    while below + math.comb(n, at) / 2**n <= 0.025:
        below += math.comb(n, at) / 2**n
        at += 1
    median = statistics.median(values)
    return (median, values[at - 1], values[n - at]) if at else (median, None, None)


def ratios(rows, phase, target, base, figure):
    """Of neighbours in time: the same round. Slices with wrong answers do not count."""
    of = lambda name: {row["rep"]: row[figure] for row in rows if (row["phase"], row["target"]) == (phase, name) and not is_wrong(row)}
    above, below = of(target), of(base)
    values = [above[rep] / below[rep] for rep in above if below.get(rep)]
    return interval(values) if values else None


def shown(found):
    if found is None:
        return "-"
    median, low, high = found
    return f"{median:.2f} ({low:.2f}–{high:.2f})" if low is not None else f"{median:.2f} (too few)"


def table(header, lines):
    widths = [max(len(str(line[at])) for line in [header, *lines]) for at in range(len(header))]
    for line in [header, ["-" * width for width in widths], *lines]:
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths)) + " |")


def report(rows, memory, options, phases):
    for phase in phases:
        mine = [row for row in rows if row["phase"] == phase]
        names = [name for name in PHASES[phase].targets if any(row["target"] == name for row in mine)]
        rate = f" of {mine[0]['rate']} requests/s" if mine and phase == "latency" else ""
        print(f"\n{PHASES[phase].title}{rate}")
        if not names:
            print("nothing was measured")
            continue
        bases = [name for name in names if name != "tollgate"] if len(names) > 1 else []
        figures = ("cpu", "p50", "p99") if phase == "latency" else ("cpu",)
        latency = ["p50 µs", "p99 µs", "sent late p99"] if phase == "latency" else []
        header = ["", "CPU µs/request", *latency, "requests/s", "proxy busy", "slices", "disturbed", "wrong"]
        lines = []
        for name in names:
            these = [row for row in mine if row["target"] == name]
            middle = lambda figure: statistics.median(row[figure] for row in these)
            right = [row["cpu"] for row in these if not is_wrong(row)]
            lines.append([
                name,
                f"{statistics.median(right):.1f}" if right else "-",
                *([f"{middle('p50'):.0f}", f"{middle('p99'):.0f}", f"{middle('late_p99'):.0f}"] if latency else []),
                f"{middle('per_second'):.0f}",
                f"{middle('busy'):.0%}",
                len(these),
                sum(row["disturbed"] for row in these),
                sum(row["wrong"] for row in these),
            ])
        table(header, lines)
        for figure in figures:
            if bases:
                print(f"\nratio of {'CPU per request' if figure == 'cpu' else figure} (95 % interval)")
                table(["", *(f"/ {base}" for base in bases)],
                      [[name, *("1" if name == base else shown(ratios(rows, phase, name, base, figure)) for base in bases)] for name in names])
    print("\nMemory, MB (PSS), idle and at the end: " + ", ".join(f"{name} {idle:.0f} / {end:.0f}" for name, (idle, end) in memory.items()))
    if not options.shield:
        print("Not shielded by real-time scheduling (needs root): other work on these cores disturbs the figures.")


@dataclasses.dataclass(frozen=True)
class Gate:
    text: str
    phase: str
    target: str
    base: str
    figure: str
    limit: float

    @classmethod
    def read(cls, text):
        found = re.fullmatch(r"(\w+):([\w-]+)/([\w-]+)(?::(cpu|p50|p99))?<=(\d+(?:\.\d+)?)", text)
        if not found:
            raise argparse.ArgumentTypeError(f"`{text}` must be like allowed:tollgate/haproxy-full<=0.75")
        phase, target, base, figure, limit = found.groups()
        if phase not in PHASES or not {target, base} <= set(PHASES[phase].targets):
            raise argparse.ArgumentTypeError(f"`{text}` names a phase or target that there is not")
        if figure in ("p50", "p99") and phase != "latency":
            raise argparse.ArgumentTypeError(f"`{text}`: {figure} is for the phase latency")
        return cls(text, phase, target, base, figure or "cpu", float(limit))

    def holds(self, rows):
        found = ratios(rows, self.phase, self.target, self.base, self.figure)
        verdict = found is not None and found[0] <= self.limit
        print(f"{'pass' if verdict else 'FAIL'}  {self.text}: {shown(found) if found else 'not measured'}")
        return verdict


# ---------------------------------------------------------------- command line


def listed(known):
    def read(text):
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names
    return read


def between(low, high, kind=float):
    def read(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be from {low} to {high}")
        return value
    return read


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=between(1, 200, int), default=10, help="rounds; six or more give intervals")
    parser.add_argument("--seconds", type=between(0.05, 0.9), default=0.6, help="length of a slice; below 0.9 the kernel does not take the core from it")
    parser.add_argument("--only", type=listed(TARGETS), help="targets, of " + ",".join(TARGETS))
    parser.add_argument("--phases", type=listed(PHASES), default=list(PHASES), help="of " + ",".join(PHASES))
    parser.add_argument("--gate", type=Gate.read, action="append", default=[], help="a rule on a ratio, may be repeated")
    parser.add_argument("--tollgate", metavar="PATH", help="its binary; default: target/release/tollgate, built if missing")
    parser.add_argument("--loadtest", metavar="PATH", help="the load generator; default: target/release/tollgate-loadtest, built if missing")
    parser.add_argument("--connections", type=between(1, 1000, int), default=64)
    parser.add_argument("--requests", type=between(100, 1_000_000, int), default=200_000, help="at most, per slice")
    parser.add_argument("--rate", type=between(1, 200_000, int), help="requests/s of the phase latency; default: half of what the slowest can take")
    parser.add_argument("--gap", type=between(0, 5), default=0.1, help="seconds between slices, for everybody else on the machine")
    parser.add_argument("--max-minutes", type=between(0.1, 120), default=30)
    parser.add_argument("--proxy-core", type=int, help="default: the first that this process may use")
    parser.add_argument("--load-core", type=int, help="default: the last that this process may use")
    parser.add_argument("--no-shield", action="store_true", help="no real-time scheduling, even as root")
    parser.add_argument("--seed", type=int, default=1, help="of the order of slices")
    parser.add_argument("--json", metavar="FILE", help="also writes every slice as a line of JSON")
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("bench.py: two cores are needed, one for the proxies and one for the load")
    options.proxy_core = cores[0] if options.proxy_core is None else options.proxy_core
    options.load_core = cores[-1] if options.load_core is None else options.load_core
    if options.proxy_core == options.load_core or not {options.proxy_core, options.load_core} <= set(cores):
        sys.exit(f"bench.py: the two cores must be different ones of {cores}")
    options.shield = not options.no_shield and may_shield()
    options.loadtest = options.loadtest or built("tollgate-loadtest", ["--package", "tollgate-loadtest"])
    if not options.loadtest or not os.access(options.loadtest, os.X_OK):
        sys.exit("bench.py: without the load generator there is no load: cargo build --release --package tollgate-loadtest")
    wanted = {target for phase in options.phases for target in PHASES[phase].targets if not options.only or target in options.only}
    try:
        rows, memory = measure(options, options.phases, find_programs(options, wanted))
    except Problem as problem:
        sys.exit(f"bench.py: {problem}")
    if options.json:
        with open(options.json, "w") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    report(rows, memory, options, options.phases)
    print()
    failed = [gate for gate in options.gate if not gate.holds(rows)]
    if not rows:
        sys.exit("bench.py: nothing was measured")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
