"""A client that shares no code with squall: the same system seen with other eyes.

`watch` measures outages of Redis by pipelined slots on roads of its own, and when an instance says
that it is primary. `lost` reads a ledger from the surviving primary and subtracts it from what
squall's history says was acknowledged. `log` reads what the Sentinels wrote down.

Only the standard library of Python 3. Times are nanoseconds of CLOCK_MONOTONIC.
"""

import collections
import errno
import json
import os
import re
import select
import socket
import sys
import time

now = time.monotonic_ns
MS = 1_000_000


def command(*words):
    parts = [str(w).encode() for w in words]
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def parse(data, at=0):
    """One reply of the Redis protocol from `at`: (value, end), or None when it is not whole."""
    end = data.find(b"\r\n", at)
    if end < 0:
        return None
    kind, head, at = data[at : at + 1], bytes(data[at + 1 : end]), end + 2
    if kind in b"+-":
        return (Exception(head.decode()) if kind == b"-" else head), at
    if kind == b":":
        return int(head), at
    if kind == b"$":
        length = int(head)
        if length < 0:
            return b"", at
        return (bytes(data[at : at + length]), at + length + 2) if len(data) >= at + length + 2 else None
    values = []
    for _ in range(int(head)):
        got = parse(data, at)
        if got is None:
            return None
        values.append(got[0])
        at = got[1]
    return values, at


class Connection:
    """One connection that never blocks. `waiting` holds what has been sent and not answered."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = bytearray()
        self.waiting = collections.deque()
        self.up = False
        code = self.socket.connect_ex((host, int(port)))
        self.broken = code not in (0, errno.EINPROGRESS)

    def fileno(self):
        return self.socket.fileno()

    def wants_write(self):
        return not self.up and not self.broken

    def finish_connect(self):
        self.broken = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        self.up = not self.broken

    def send(self, text, what):
        self.waiting.append(what)
        try:
            if self.socket.send(text) != len(text):
                self.broken = True
        except OSError:
            self.broken = True

    def read(self):
        """Replies that are whole, each with what it answers."""
        try:
            got = self.socket.recv(1 << 16)
            if not got:
                self.broken = True
            self.data += got
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True
        replies, at = [], 0
        while (found := parse(self.data, at)) is not None and self.waiting:
            replies.append((self.waiting.popleft(), found[0]))
            at = found[1]
        del self.data[:at]
        return replies

    def close(self):
        self.broken = True
        self.socket.close()


class Road:
    """Slots at a fixed rate over one connection; a new one after an error or a missed deadline."""

    def __init__(self, spec, start):
        self.address, self.writes = spec["address"], spec["writes"]
        self.interval, self.deadline = int(1e9 / spec["rate"]), spec["deadlineMs"] * MS
        self.start, self.next = start, 0
        self.done = []  # by slot: when it was answered well, or None
        self.held = []  # slots without a connection yet
        self.current, self.old, self.tried = None, [], 0

    def due(self, slot):
        return self.start + slot * self.interval

    def connections(self):
        return ([self.current] if self.current else []) + self.old

    def tick(self, at):
        while self.due(self.next) <= at:
            self.done.append(None)
            self.held.append(self.next)
            self.next += 1
        link = self.current
        if link and link.waiting and at - self.due(link.waiting[0]) > self.deadline:
            self.old.append(link)
            self.current = None
        for link in [o for o in self.old if o.broken or not o.waiting]:
            link.close()
            self.old.remove(link)
        # An answer that will never come is not waited for.
        for link in [o for o in self.old if at - self.due(o.waiting[0]) > 10 * self.deadline]:
            link.close()
            self.old.remove(link)
        if self.current and self.current.broken:
            self.current.close()
            self.current, self.held = None, []
        if self.current is None and at - self.tried >= MS:
            self.tried, self.current = at, Connection(self.address)
        if self.current and self.current.up:
            for slot in self.held:
                words = ("SET", f"outside:{slot % 64}", slot) if self.writes else ("GET", "outside")
                self.current.send(command(*words), slot)
            self.held = []

    def take(self, link):
        for slot, value in link.read():
            at = now()
            if not isinstance(value, Exception) and at - self.due(slot) <= self.deadline:
                self.done[slot] = at
            if isinstance(value, Exception):
                link.broken = True

    def outages(self):
        """Runs of slots that are not good, over gaps of up to three good ones: from the last good
        completion before to the first good completion after."""
        horizon = now() - self.deadline
        known = [d for slot, d in enumerate(self.done) if self.due(slot) < horizon]
        runs, good = [], 4
        for slot, done in enumerate(known):
            if done is not None:
                good += 1
                continue
            if good <= 3 and runs:
                runs[-1][1] = slot
            else:
                runs.append([slot, slot])
            good = 0
        found = []
        for first, last in runs:
            before = [d for d in known[max(0, first - 2000) : first] if d is not None]
            after = [d for d in known[last + 1 :] if d is not None]
            found.append({
                "fromNs": max(before, default=None),
                "toNs": min(after, default=None),
                "slots": last - first + 1,
            })
        return found


class Asker:
    """Asks one instance what it is, over and over."""

    def __init__(self, address, every):
        self.address, self.every = address, every
        self.link, self.tried, self.asked = None, 0, 0
        self.role, self.changes = None, []

    def connections(self):
        return [self.link] if self.link else []

    def tick(self, at):
        if self.link and (self.link.broken or (self.link.waiting and at - self.asked > 250 * MS)):
            self.link.close()
            # A promotion hangs up on every client: come back at once.
            self.link, self.asked = None, 0
        if self.link is None and at - self.tried >= MS:
            self.tried, self.link = at, Connection(self.address)
        elif self.link and self.link.up and not self.link.waiting and at - self.asked >= self.every:
            self.asked = at
            self.link.send(command("INFO", "replication"), None)

    def take(self, link):
        for _, value in link.read():
            found = re.search(rb"role:([a-z]+)", value if isinstance(value, bytes) else b"")
            role = found and found.group(1).decode()
            if role and role != self.role:
                self.role = role
                self.changes.append({"atNs": now(), "address": self.address, "role": role})


def pair():
    """The two clocks at one moment."""
    before, wall, after = now(), time.time_ns(), now()
    return {"monotonicNs": (before + after) // 2, "wallNs": wall}


def watch(spec):
    clocks = [pair()]
    start = now() + 50 * MS
    roads = {name: Road(road, start) for name, road in spec["roads"].items()}
    askers = [Asker(address, spec["everyMs"] * MS) for address in spec["roles"]]
    workers = list(roads.values()) + askers
    late, said = [], False
    wake = start
    while True:
        at = now()
        # A pause of our own hides what happened in it.
        if at - wake > 4 * MS and said:
            late.append({"fromNs": wake, "toNs": at})
        for worker in workers:
            worker.tick(at)
        links = {link: worker for worker in workers for link in worker.connections()}
        reading = [sys.stdin] + [link for link in links if not link.broken]
        writing = [link for link in links if link.wants_write()]
        wake = at + MS
        readable, writable, _ = select.select(reading, writing, [], max(0, wake - now()) / 1e9)
        for link in writable:
            link.finish_connect()
        for link in readable:
            if link is sys.stdin:
                if not os.read(0, 4096):
                    clocks.append(pair())
                    report(clocks, roads, askers, late)
                    return
            elif not link.broken and link.up:
                links[link].take(link)
        if not said and all(any(road.done) for road in roads.values()):
            said = True
            print("watching", flush=True)


def report(clocks, roads, askers, late):
    changes = sorted((c for a in askers for c in a.changes), key=lambda c: c["atNs"])
    seen = {
        name: {
            "slots": len(road.done),
            "good": sum(d is not None for d in road.done),
            "outages": road.outages(),
        }
        for name, road in roads.items()
    }
    print(json.dumps({"clocks": clocks, "roads": seen, "roles": changes, "late": late}))


def ask(address, *words):
    """One question over a connection of its own."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as link:
        link.sendall(command(*words))
        data = bytearray()
        while (found := parse(data)) is None:
            got = link.recv(1 << 16)
            if not got:
                raise SystemExit(f"{address} hung up")
            data += got
        if isinstance(found[0], Exception):
            raise SystemExit(f"{address}: {found[0]}")
        return found[0]


def lost(spec):
    """The history comes by the standard input."""
    fates = {}
    for line in sys.stdin:
        slots = json.loads(line)["entry"]
        if isinstance(slots, dict) and slots.get("slots", {}).get("probe") == spec["probe"]:
            for slot in slots["slots"]["slots"]:
                fates[slot["slot"]] = slot["write"]
    # An old primary of a split brain is one until Sentinel has turned it into a replica.
    until = now() + 30_000 * MS
    while len(primaries := [a for a in spec["instances"] if is_primary(a)]) != 1:
        if now() > until:
            raise SystemExit(f"not one primary: {primaries}")
        time.sleep(0.05)
    keys = ask(primaries[0], "KEYS", "squall:ledger:*")
    if len(keys) != 1:
        raise SystemExit(f"not one ledger: {keys}")
    found = [int(entry) for entry in ask(primaries[0], "LRANGE", keys[0].decode(), 0, -1)]
    acknowledged = {slot for slot, fate in fates.items() if fate == "acknowledged"}
    print(json.dumps({
        "primary": primaries[0],
        "acknowledged": len(acknowledged),
        "found": len(found),
        "lost": sorted(acknowledged - set(found)),
    }))


def is_primary(address):
    try:
        return b"role:master" in ask(address, "INFO", "replication")
    except OSError:
        return False


def log(folder):
    """What every Sentinel wrote down, with the wall clock's nanoseconds."""
    line_of = re.compile(r"^\d+:X (\d+ \w+ \d+ \d\d:\d\d:\d\d)\.(\d\d\d) \S (.*)$")
    events = []
    for name in sorted(os.listdir(folder)):
        if not name.startswith("sentinel@"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as lines:
            for line in lines:
                found = line_of.match(line.rstrip("\n"))
                if found:
                    second = time.mktime(time.strptime(found.group(1), "%d %b %Y %H:%M:%S"))
                    wall = int(second) * 1000 * MS + int(found.group(2)) * MS
                    events.append({"wallNs": wall, "by": name, "event": found.group(3)})
    print(json.dumps(sorted(events, key=lambda e: e["wallNs"])))


if __name__ == "__main__":
    mode, given = sys.argv[1], sys.argv[2]
    modes = {
        "watch": lambda: watch(json.loads(given)),
        "lost": lambda: lost(json.loads(given)),
        "log": lambda: log(given),
    }
    modes[mode]()
