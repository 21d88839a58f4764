#!/usr/bin/env python3
"""Compares `vthost extract` with what else answers "which URLs, how often".

    host/benches/rivals.py LOG [ROUNDS]

LOG is a Squid access.log; `cargo bench --bench extract` leaves one, made from a
seed, in target/tmp. Every round runs all rivals that are installed, one after
the other, so that a slow minute of the machine slows down all of them. Prints
the median time, the least and the most, MB/s, the peak memory, and the ratio to
vthost. What each answers differs: vthost and the databases give the count, the
first and last time and the number of clients of each URL; the pipelines give
the count alone.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time

DUCKDB = """
import duckdb, sys
print(duckdb.sql(f\"\"\"
select count(*) from (
  select f[7] as url, count(*), min(f[1]::double), max(f[1]::double), count(distinct f[3])
  from (select regexp_split_to_array(line, ' +') as f
        from read_csv('{sys.argv[1]}', columns={{'line': 'varchar'}}, delim='\x01', header=false, quote='', escape=''))
  group by 1)\"\"\").fetchone())
"""


def rivals(log):
    vthost = os.environ.get("VTHOST", "target/release/vthost")
    found = [
        ("vthost --unique=url", [vthost, "extract", "--unique=url", log]),
        ("vthost --unique=host", [vthost, "extract", "--unique=host", log]),
        ("wc -l (limit)", ["wc", "-l", log]),
    ]
    shell = lambda name, tool, line: found.append((name, ["sh", "-c", line, "sh", log])) if shutil.which(tool) else None
    shell("mawk array", "mawk", """mawk '{n[$7]++} END {for (u in n) print n[u], u}' "$1" """)
    shell("gawk array", "gawk", """LC_ALL=C gawk '{n[$7]++} END {for (u in n) print n[u], u}' "$1" """)
    shell("mawk | sort | uniq -c", "mawk", """export LC_ALL=C; mawk '{print $7}' "$1" | sort | uniq -c""")
    shell("grep -o | sort | uniq -c", "grep", """export LC_ALL=C; grep -oE 'https?://[^ ]+' "$1" | sort | uniq -c""")
    shell("rg -o | sort | uniq -c", "rg", """export LC_ALL=C; rg -oN 'https?://[^ ]+' "$1" | sort | uniq -c""")
    if subprocess.run([sys.executable, "-c", "import duckdb"], capture_output=True).returncode == 0:
        found.append(("DuckDB", [sys.executable, "-c", DUCKDB, log]))
    return found


def run(command):
    """Seconds and peak MiB of the largest process."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command[:3]} failed")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def main():
    log = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    megabytes = os.path.getsize(log) / 1e6
    seconds, peaks = {}, {}
    for _ in range(rounds):
        for name, command in rivals(log):
            taken, peak = run(command)
            seconds.setdefault(name, []).append(taken)
            peaks[name] = max(peak, peaks.get(name, 0))
    base = statistics.median(next(iter(seconds.values())))
    print("| what | median s | least..most | MB/s | peak MiB | time / vthost --unique=url |")
    print("|---|---|---|---|---|---|")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"| {name} | {median:.2f} | {min(times):.2f}..{max(times):.2f} | {megabytes / median:.0f} | {peaks[name]:.0f} | {median / base:.2f} |")


main()
