#!/usr/bin/env python3
"""Compares `vthost extract` with what else answers "what was contacted, how
often, when, by how many".

    cargo build --release
    host/benches/rivals.py [--format squid] [--megabytes 512] [--rounds 7] [--log FILE]
                           [--also 'NAME=COMMAND with {log}'] [--only WORD,WORD]

Makes a log of the format from a seed (in target/tmp, once), and runs all rivals that
are installed in turn: every other round in the opposite order, so that a slow minute
of the machine slows down all of them. Prints for each the median time, the least and
the most, MB/s and the peak memory, and, round by round against the first row, the
median of the ratios of time with the least and the most.

vthost and the databases answer the same question: count, first and last time and
number of different clients for each host, with Squid's log also for each URL. The
pipelines give the count for each host alone, as people write them. The first round,
which is not counted, checks that all found as many hosts (URLs) and as many contacts.
"""

import argparse
import collections
import json
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
START_MS = 1_714_564_800_000


class Visits:
    """Contacts from a seed: 20,000 hosts, few of them visited often; 500 clients."""

    def __init__(self):
        self.rng = random.Random(42)
        self.hosts = [f"www{n}.example.{self.rng.choice(['com', 'net', 'org'])}" for n in range(20_000)]
        self.clients = [f"10.{n // 250}.{n % 250}.{self.rng.randrange(1, 255)}" for n in range(500)]
        self.ms = START_MS

    def __next__(self):
        self.ms += self.rng.randrange(30)
        self.host = self.hosts[int(20_000 * self.rng.random() ** 3)]
        self.client = self.clients[self.rng.randrange(500)]
        self.server = f"203.0.113.{self.rng.randrange(1, 255)}"
        self.page = int(60 * self.rng.random() ** 2)
        self.path = f"/section/{self.page % 7}/article-{self.page}.html?id={self.page}&lang=en"
        return self

    def number(self, end):
        return self.rng.randrange(end)

    def when(self, form):
        return time.strftime(form, time.gmtime(self.ms // 1000))


def squid(v):
    if v.rng.random() < 0.55:
        what, kind = f"TCP_TUNNEL/200 {v.number(99_999)} CONNECT {v.host}:443", "-"
    else:
        what, kind = f"TCP_MISS/200 {v.number(99_999)} GET http://{v.host}{v.path}", "text/html"
    return f"{v.ms / 1000:.3f} {v.number(2_000):6} {v.client} {what} - HIER_DIRECT/{v.server} {kind}"


def fortigate(v):
    return (
        f'<189>date={v.when("%Y-%m-%d")} time={v.when("%H:%M:%S")} devname="FGT-1" devid="FG100E0000000000"'
        f' eventtime={v.ms * 1_000_000} tz="+0000" logid="0317013312" type="utm" subtype="webfilter"'
        f' eventtype="ftgd_allow" level="notice" vd="root" policyid={v.number(90)} poluuid="4c8e0a1e-0000-51ee-0000-000000000000"'
        f' sessionid={v.number(999_999)} srcip={v.client} srcport={1024 + v.number(60_000)} srccountry="Reserved" srcintf="lan"'
        f' srcintfrole="lan" dstip={v.server} dstport=443 dstcountry="Reserved" dstintf="wan1" dstintfrole="wan" proto=6'
        f' service="HTTPS" hostname="{v.host}" profile="default" action="passthrough" reqtype="direct" url="https://{v.host}{v.path}"'
        f' sentbyte={v.number(9_999)} rcvdbyte={v.number(99_999)} direction="outgoing" msg="URL belongs to an allowed category in policy"'
        f' ratemethod="domain" cat=52 catdesc="Information Technology"'
    )


def paloalto(v):
    now = v.when("%Y/%m/%d %H:%M:%S")
    return (
        f'<14>{v.when("%b %d %H:%M:%S")} fw 1,{now},012345678901,THREAT,url,2561,{now},{v.client},{v.server},198.51.100.1,{v.server},'
        f'web-out,,,web-browsing,vsys1,trust,untrust,ethernet1/2,ethernet1/1,default,{now},{v.number(999_999)},1,{1024 + v.number(60_000)},'
        f'80,{1024 + v.number(60_000)},80,0x403000,tcp,alert,"{v.host}{v.path}",(9999),computer-and-internet-info,informational,'
        f"client-to-server,{v.number(9_999_999)},0x0,10.0.0.0-10.255.255.255,United States,,text/html,0,,,1,,,,,,,,0,0,0,0,0,,fw,,,,get,0,,0,,N/A"
    )


def eve(v):
    return (
        f'{{"timestamp":"{v.when("%Y-%m-%dT%H:%M:%S")}.{v.ms % 1000:03}000+0000","flow_id":{v.number(10**15)},"in_iface":"eth0","event_type":"http",'
        f'"src_ip":"{v.client}","src_port":{1024 + v.number(60_000)},"dest_ip":"{v.server}","dest_port":80,"proto":"TCP","pkt_src":"wire/pcap","tx_id":0,'
        f'"http":{{"hostname":"{v.host}","url":"{v.path}","http_user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",'
        f'"http_content_type":"text/html","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":{v.number(99_999)}}}}}'
    )


def bind(v):
    return (
        f'{v.when("%d-%b-%Y %H:%M:%S")}.{v.ms % 1000:03} queries: info: client @0x7f00{v.number(9_999):04}0000 {v.client}#{1024 + v.number(60_000)}'
        f" ({v.host}): query: {v.host} IN A +E(0)K (10.0.0.53)"
    )


def dnsmasq(v):
    begin = f'{v.when("%Y-%m-%dT%H:%M:%S")}+00:00 gw dnsmasq[1]: '
    return (
        f"{begin}query[A] {v.host} from {v.client}\n{begin}forwarded {v.host} to 192.0.2.53\n{begin}reply {v.host} is {v.server}"
    )


ZEEK = [
    ("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"), ("id.resp_p", "port"),
    ("trans_depth", "count"), ("method", "string"), ("host", "string"), ("uri", "string"), ("referrer", "string"), ("version", "string"),
    ("user_agent", "string"), ("origin", "string"), ("request_body_len", "count"), ("response_body_len", "count"), ("status_code", "count"),
    ("status_msg", "string"),
]  # fmt: skip
ZEEK_HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n"
    + "#fields\t" + "\t".join(name for name, _ in ZEEK) + "\n"
    + "#types\t" + "\t".join(kind for _, kind in ZEEK) + "\n"
)  # fmt: skip


def zeek(v):
    values = [
        f"{v.ms / 1000:.6f}", f"C{v.number(10**15)}", v.client, 1024 + v.number(60_000), v.server, 80, 1, "GET", v.host, v.path, "-", "1.1",
        "Mozilla/5.0 (X11; Linux x86_64)", "-", 0, v.number(99_999), 200, "OK",
    ]  # fmt: skip
    return "\t".join(map(str, values))


def text(v):
    return f'{v.when("%Y-%m-%dT%H:%M:%SZ")} worker {v.number(64)} fetched http://{v.host}{v.path} for job {v.number(99_999)} in {v.number(2_000)} ms'


class Format(collections.namedtuple("Format", "parser line header pattern time mawk rg")):
    """`pattern` takes time, client and host out of a line (the client may be empty) for the
    databases, `time` is the SQL of the time; `mawk` and `rg` print a host for each contact."""


FORMATS = {
    "squid": Format(
        "squid", squid, "",
        r"^([0-9.]+) +[0-9]+ ([^ ]+) [^ ]+ [0-9]+ [^ ]+ (?:https?://)?([^/: ]+)", "{0}::double",
        r"""mawk '{split($7, p, "/"); h = $7 ~ /:\/\// ? p[3] : p[1]; sub(/:.*/, "", h); print h}'""",
        r"rg -oN --replace '$1' '(?:CONNECT |://)([^/: ]+)'",
    ),
    "fortigate": Format(
        "fortigate", fortigate, "",
        r'eventtime=([0-9]+) .*srcip=([^ ]+) .*hostname="([^"]*)"', "{0}::bigint",
        r"""mawk -F'hostname="' '{sub(/".*/, "", $2); print $2}'""",
        r"""rg -oN --replace '$1' 'hostname="([^"]*)"'""",
    ),
    "paloalto": Format(
        "paloalto", paloalto, "",
        r'THREAT,url,[^,]*,([^,]+),([^,]+),.*,alert,"([^/"]+)', "strptime({0}, '%Y/%m/%d %H:%M:%S')",
        r"""mawk -F, '{h = substr($32, 2); sub(/\/.*/, "", h); print h}'""",
        r"""rg -oN --replace '$1' ',alert,"([^/"]+)'""",
    ),
    "eve": Format(
        "suricata", eve, "",
        r'"timestamp":"([^"]+)".*"src_ip":"([^"]+)".*"hostname":"([^"]+)"', "{0}",
        r"""mawk -F'"hostname":"' '{sub(/".*/, "", $2); print $2}'""",
        r"""rg -oN --replace '$1' '"hostname":"([^"]+)"'""",
    ),
    "bind": Format(
        "dns", bind, "",
        r"^([^ ]+ [^ ]+) queries: info: client [^ ]+ ([^#]+)#[0-9]+ [^ ]+ query: ([^ ]+)", "strptime({0}, '%d-%b-%Y %H:%M:%S.%g')",
        r"""mawk '{print $10}'""",
        r"rg -oN --replace '$1' 'query: ([^ ]+)'",
    ),
    "dnsmasq": Format(
        "dns", dnsmasq, "",
        r"^([^ ]+) [^ ]+ dnsmasq\[[0-9]+\]: query\[[A-Z]+\] ([^ ]+) from ([^ ]+)", "{0}::timestamptz",
        r"""mawk '$4 ~ /^query/ {print $5}'""",
        r"rg -oN --replace '$1' 'query\[A\] ([^ ]+)'",
    ),
    "zeek": Format(
        "zeek", zeek, ZEEK_HEADER,
        r"^([0-9.]+)\t[^\t]+\t([^\t]+)\t(?:[^\t]+\t){5}([^\t]+)", "{0}::double",
        r"""mawk -F'\t' '!/^#/ {print $9}'""",
        r"rg -oN --replace '$1' '\tGET\t([^\t]+)'",
    ),
    "text": Format(
        "text", text, "",
        r"^([^ ]+) ()worker [0-9]+ fetched https?://([^/ ]+)", "{0}::timestamptz",
        r"""mawk '{split($5, p, "/"); print p[3]}'""",
        r"rg -oN --replace '$1' '://([^/ ]+)'",
    ),
}  # fmt: skip

# Suricata's rows as a table, which DuckDB reads faster than a pattern.
EVE = """
select "timestamp"::timestamptz t, src_ip c, http.hostname h
from read_json('LOG', format='newline_delimited', columns={"timestamp": 'varchar', src_ip: 'varchar', http: 'struct(hostname varchar)'})
"""


# Time, client and URL of a line of Squid.
SQUID_URL = r"^([0-9.]+) +[0-9]+ ([^ ]+) [^ ]+ [0-9]+ [^ ]+ ([^ ]+)"

POLARS = f"""
import os, sys
os.environ["POLARS_MAX_THREADS"] = sys.argv[2]
import polars as pl
parts = pl.col("line").str.extract_groups(r"{SQUID_URL}").struct
print(*pl.scan_csv(sys.argv[1], has_header=False, separator="\x01", quote_char=None, new_columns=["line"], infer_schema=False)
  .select(t=parts.field("1").cast(pl.Float64), c=parts.field("2"), u=parts.field("3"))
  .group_by("u").agg(n=pl.len(), first=pl.col("t").min(), last=pl.col("t").max(), clients=pl.col("c").n_unique())
  .select(pl.len(), pl.col("n").sum()).collect(engine="streaming").row(0))
"""

CHDB = f"""
import chdb, sys
print(chdb.query(f'''
select count(), sum(n) from (
  select u, count() n, min(t), max(t), uniqExact(c)
  from file('{{sys.argv[1]}}', 'Regexp', 't Float64, c String, u String') group by u)
settings max_threads = {{sys.argv[2]}}, format_regexp = '{SQUID_URL}.*', format_regexp_escaping_rule = 'Raw' ''', "TabSeparated"))
"""


def lines_sql(form, by_url):
    """The rows of a log as DuckDB reads lines: time, client and host (Squid's URL)."""
    pattern = SQUID_URL if by_url else form.pattern
    names = ["t", "h", "c"] if form.line is dnsmasq else ["t", "c", "h"]
    return f"""
select {form.time.format("p.t")} t, p.c c, p.h h
from (select regexp_extract(line, '{pattern}', {names}) p
      from read_csv('LOG', columns={{'line': 'varchar'}}, delim='\\x01', header=false, quote='', escape='', auto_detect=false))
where p.h != ''
"""


def duckdb(rows):
    """A program that prints the numbers of hosts and contacts in the rows of a query of LOG."""
    return f"""
import duckdb, sys
duckdb.sql("set threads to " + sys.argv[2])
rows = {rows!r}.replace('LOG', sys.argv[1])
print(*duckdb.sql(f"select count(*), sum(n)::bigint from (select h, count(*) n, min(t), max(t), count(distinct c) from ({{rows}}) group by 1)").fetchall()[0])
"""


def rivals(name, log, threads):
    form = FORMATS[name]
    ways = ["host", "url"] if name == "squid" else ["host"]
    for count, by in [(count, by) for count in (threads, 1) for by in ways]:
        extract = [VTHOST, "extract", "--parser", form.parser, "--threads", str(count), f"--unique={by}", log]
        yield f"vthost --unique={by}" + (", 1 thread" if count == 1 else ""), extract
    databases = [(f"DuckDB by {by}", "duckdb", duckdb(EVE if name == "eve" else lines_sql(form, by == "url"))) for by in ways]
    if name == "squid":
        databases += [("Polars by url", "polars", POLARS), ("chDB by url", "chdb", CHDB)]
    for title, module, program in databases:
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0:
            yield title, [sys.executable, "-c", program, log, str(threads)]
    for title, tool, line in [
        ("mawk array", "mawk", form.mawk + ' "$1" | mawk \'{n[$1]++} END {for (h in n) print n[h], h}\''),
        ("mawk, sort, uniq -c", "mawk", form.mawk + ' "$1" | sort | uniq -c'),
        ("rg -o, sort, uniq -c", "rg", form.rg + ' "$1" | sort | uniq -c'),
    ]:
        if shutil.which(tool):
            yield title, ["sh", "-c", "export LC_ALL=C; " + line, "sh", log]
    yield "wc -l, the limit", ["wc", "-l", log]


def run(name, command):
    """What the command printed, the seconds, and the peak MiB of the largest process."""
    with open(ROOT / "target/tmp/rivals.out", "w+") as printed:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE)
        errors = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        if status != 0:
            sys.exit(f"{name} failed: {errors[-2000:]}")
        printed.seek(0)
        return printed.read(), seconds, usage.ru_maxrss / 1024


def counts(name, printed):
    """How many hosts (URLs) and contacts a rival found."""
    if name.startswith("vthost"):
        rows = [json.loads(line) for line in printed.splitlines()]
        return len(rows), sum(row["count"] for row in rows)
    if name.startswith(("DuckDB", "Polars", "chDB")):
        return tuple(map(int, printed.split()))
    rows = [int(line.split(None, 1)[0]) for line in printed.splitlines()]
    return len(rows), sum(rows)


def check(answers):
    """Ends the program if two rivals that were asked by host, or by URL, disagree."""
    for by in ("host", "url"):
        found = {name: answer for name, answer in answers.items() if ("url" in name) == (by == "url")}
        if len(set(found.values())) > 1:
            sys.exit(f"the rivals disagree by {by} (how many, contacts): {found}")


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}}..{max(values):{form}})"


def generate(name, log, megabytes):
    form, visits, wanted = FORMATS[name], Visits(), megabytes * 1_000_000
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "w", buffering=1 << 20) as file:
        file.write(form.header)
        while wanted > 0:
            line = form.line(next(visits)) + "\n"
            wanted -= len(line)
            file.write(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", default="squid", choices=FORMATS)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--log", help="this log of the format instead of a made-up one")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--only", help="rivals whose names have one of these words in them")
    args = parser.parse_args()
    log = args.log or str(ROOT / f"target/tmp/rivals-{args.format}-{args.megabytes}.log")
    if not os.path.exists(log):
        generate(args.format, log, args.megabytes)
    commands = dict(rivals(args.format, log, args.threads))
    also = dict(named.split("=", 1) for named in args.also)
    commands |= {name: command.format(log=log).split() for name, command in also.items()}
    if args.only:
        words = args.only.split(",")
        commands = {name: command for name, command in commands.items() if any(word in name for word in words)}
    seconds, peaks, answers = {name: [] for name in commands}, dict.fromkeys(commands, 0), {}
    for number in range(-1, args.rounds):
        for name in sorted(commands, key=list(commands).index, reverse=number % 2 == 1):
            printed, taken, peak = run(name, commands[name])
            if number >= 0:
                seconds[name].append(taken)
                peaks[name] = max(peaks[name], peak)
            elif name not in also and not name.startswith("wc"):
                answers[name] = counts(name, printed)
        if number < 0:
            check(answers)
    megabytes, base = os.path.getsize(log) / 1e6, next(iter(seconds))
    found = ", ".join(f"{count} {what}" for count, what in zip(next(iter(answers.values()), ()), ("hosts", "contacts")))
    print(f"{log}: {megabytes:.0f} MB, {found}, {args.rounds} rounds, {args.threads} threads\n")
    print(f"| what | s (least..most) | MB/s | peak MiB | time / {base} |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        ratios = [time / other for time, other in zip(times, seconds[base])]
        median = megabytes / statistics.median(times)
        print(f"| {name} | {spread(times, '.2f')} | {median:.0f} | {peaks[name]:.0f} | {spread(ratios, '.2f')} |")


main()
