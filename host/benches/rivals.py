#!/usr/bin/env python3
"""Compares `vthost extract` with what else answers "what was contacted, how
often, when, by how many".

    cargo build --release
    host/benches/rivals.py [--megabytes 512] [--rounds 5] [--log FILE]
                           [--also 'NAME=COMMAND with {log}'] [--only WORD,WORD]

Makes a Squid access.log from a seed (in target/tmp, once), and runs all rivals
that are installed in turn: every other round in the opposite order, so that a
slow minute of the machine slows down all of them. Prints for each the median
time, the least and the most, MB/s and the peak memory, and, round by round
against `vthost`, the median of the ratios of time with the least and the most.

vthost and the databases answer the same question: count, first and last time
and number of different clients for each URL. The pipelines give the count
alone.
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VTHOST = os.environ.get("VTHOST", str(ROOT / "target/release/vthost"))

# Time, client and URL of a line.
PATTERN = r"^([0-9.]+) +[0-9]+ ([^ ]+) [^ ]+ [0-9]+ [^ ]+ ([^ ]+)"

DUCKDB = f"""
import duckdb, sys
duckdb.sql("set threads to " + sys.argv[2])
print(duckdb.sql(f'''
select count(*), sum(n), sum(c) from (
  select p.u, count(*) n, min(p.t::double), max(p.t::double), count(distinct p.c) c
  from (select regexp_extract(line, '{PATTERN}', ['t', 'c', 'u']) p
        from read_csv('{{sys.argv[1]}}', columns={{{{'line': 'varchar'}}}}, delim='\\x01', header=false, quote='', escape='', auto_detect=false))
  group by 1)''').fetchall())
"""

POLARS = f"""
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[2]
import polars as pl
parts = pl.col("line").str.extract_groups(r"{PATTERN}").struct
print(pl.scan_csv(sys.argv[1], has_header=False, separator="\\x01", quote_char=None, new_columns=["line"], infer_schema=False)
  .select(t=parts.field("1").cast(pl.Float64), c=parts.field("2"), u=parts.field("3"))
  .group_by("u").agg(n=pl.len(), first=pl.col("t").min(), last=pl.col("t").max(), clients=pl.col("c").n_unique())
  .select(pl.len(), pl.col("n").sum(), pl.col("clients").sum()).collect(engine="streaming"))
"""

CHDB = f"""
import chdb, sys
print(chdb.query(f'''
select count(), sum(n), sum(c) from (
  select u, count() n, min(t), max(t), uniqExact(c) c
  from file('{{sys.argv[1]}}', 'Regexp', 't Float64, c String, u String') group by u)
settings max_threads = {{sys.argv[2]}}, format_regexp = '{PATTERN}.*', format_regexp_escaping_rule = 'Raw' '''))
"""


def generate(path, megabytes):
    """20,000 hosts, few of them visited often; 500 clients; over half CONNECT."""
    rng = random.Random(42)
    hosts = [f"www{n}.example.{rng.choice(['com', 'net', 'org'])}" for n in range(20_000)]
    clients = [f"10.{n // 250}.{n % 250}.{rng.randrange(1, 255)}" for n in range(500)]
    wanted, ms = megabytes * 1_000_000, 1_714_564_800_000
    with open(path, "w", buffering=1 << 20) as log:
        while wanted > 0:
            ms += rng.randrange(30)
            host = hosts[int(20_000 * rng.random() ** 3)]
            if rng.random() < 0.55:
                what, kind = f"TCP_TUNNEL/200 {rng.randrange(99_999)} CONNECT {host}:443", "-"
            else:
                page = int(60 * rng.random() ** 2)
                what = f"TCP_MISS/200 {rng.randrange(99_999)} GET http://{host}/section/{page % 7}/article-{page}.html?id={page}&lang=en"
                kind = "text/html"
            line = (
                f"{ms / 1000:.3f} {rng.randrange(2_000):6} {clients[rng.randrange(500)]} {what}"
                f" - HIER_DIRECT/203.0.113.{rng.randrange(1, 255)} {kind}\n"
            )
            wanted -= len(line)
            log.write(line)


def rivals(log, threads):
    for by, count in [("url", threads), ("host", threads), ("url", 1), ("host", 1)]:
        extract = [VTHOST, "extract", "--parser", "squid", "--threads", str(count), f"--unique={by}", log]
        yield f"vthost --unique={by}" + (", 1 thread" if count == 1 else ""), extract
    for name, module, program in [("DuckDB", "duckdb", DUCKDB), ("Polars", "polars", POLARS), ("chDB", "chdb", CHDB)]:
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0:
            yield name, [sys.executable, "-c", program, log, str(threads)]
    for name, tool, line in [
        ("mawk array", "mawk", """mawk '{n[$7]++} END {for (u in n) print n[u], u}' "$1" """),
        ("mawk | sort | uniq -c", "mawk", """mawk '{print $7}' "$1" | sort | uniq -c"""),
        ("grep -o | sort | uniq -c", "grep", """grep -oE 'https?://[^ ]+' "$1" | sort | uniq -c"""),
        ("rg -o | sort | uniq -c", "rg", """rg -oN 'https?://[^ ]+' "$1" | sort | uniq -c"""),
    ]:
        if shutil.which(tool):
            yield name, ["sh", "-c", "export LC_ALL=C; " + line, "sh", log]
    yield "wc -l, the limit", ["wc", "-l", log]


def run(name, command):
    """Seconds, and the peak MiB of the largest process."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{name} failed: {said[-2000:]}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}}..{max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--log", help="this log instead of a made-up one")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--only", help="rivals whose names have one of these words in them")
    args = parser.parse_args()
    log = args.log or str(ROOT / f"target/tmp/rivals-{args.megabytes}.log")
    if not os.path.exists(log):
        os.makedirs(os.path.dirname(log), exist_ok=True)
        generate(log, args.megabytes)
    commands = dict(rivals(log, args.threads))
    for also in args.also:
        name, _, command = also.partition("=")
        commands[name] = command.format(log=log).split()
    if args.only:
        words = args.only.split(",")
        commands = {name: command for name, command in commands.items() if any(word in name for word in words)}
    seconds, peaks = {name: [] for name in commands}, dict.fromkeys(commands, 0)
    for number in range(-1, args.rounds):
        for name in sorted(commands, key=list(commands).index, reverse=number % 2 == 1):
            taken, peak = run(name, commands[name])
            # The first round only warms the page cache and the compile cache.
            if number >= 0:
                seconds[name].append(taken)
                peaks[name] = max(peaks[name], peak)
    megabytes, base = os.path.getsize(log) / 1e6, next(iter(seconds))
    print(f"{log}: {megabytes:.0f} MB, {args.rounds} rounds, {args.threads} threads\n")
    print(f"| what | s (least..most) | MB/s | peak MiB | time / {base} |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        ratios = [time / other for time, other in zip(times, seconds[base])]
        median = megabytes / statistics.median(times)
        print(f"| {name} | {spread(times, '.2f')} | {median:.0f} | {peaks[name]:.0f} | {spread(ratios, '.2f')} |")


main()
