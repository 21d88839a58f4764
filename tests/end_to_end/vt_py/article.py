"""The small script that vthost replaces, written anew with vt-py.

It hands in each line of a list, waits until VirusTotal has finished, and sorts
the line into bad-domain.txt or good-domain.txt by malicious + suspicious > 0.

    article.py --host URL --key KEY --list FILE --out DIR [--pause SECONDS]
"""

import argparse
import pathlib
import time

import vt

ORDER = ("harmless", "malicious", "suspicious", "undetected", "timeout")


def scanned(client, name, pause):
    """The finished analysis of one line of the list."""
    analysis = client.scan_url(name)
    while True:
        analysis = client.get_object("/analyses/{}", analysis.id)
        if analysis.status == "completed":
            return analysis
        time.sleep(pause)


def main():
    parser = argparse.ArgumentParser()
    for name in ("host", "key", "list", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--pause", type=float, default=15)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    with vt.Client(args.key, host=args.host) as client:
        for line in pathlib.Path(args.list).read_text(encoding="utf-8").splitlines():
            analysis = scanned(client, line, args.pause)
            stats = {name: analysis.stats[name] for name in ORDER}
            is_bad = stats["malicious"] + stats["suspicious"] > 0
            date = analysis.date.replace(tzinfo=None).isoformat()
            name = "bad-domain.txt" if is_bad else "good-domain.txt"
            with open(out / name, "a", encoding="utf-8") as file:
                file.write(f"{date} {line} {stats}\n")


if __name__ == "__main__":
    main()
