#!/usr/bin/env bash
# mactime (sleuthkit 4.11.1) leaves out the file whose name holds a bar, as fls
# writes it.
#
# Guess: what fls writes, its sister program mactime reads: a file with a bar in
# its name, valid in every file system of Unix, is in the timeline.
#
# Seen: fls writes the bar as it is, the fields of the line shift, and mactime
# has no event for the file and no message.
#
# For a responder: the timeline of an image lacks files, with no trace of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q sleuthkit=4.11.1+dfsg-1+b1 libtsk19=4.11.1+dfsg-1+b1 \
    libewf2 libvmdk1 libvhdi1 libafflib0v5 libbfio1 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
mkdir files
echo one >files/one.txt
echo two >'files/two|2.txt'
truncate -s 4M image
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -d files image
export LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
root/usr/bin/fls -m / -r image >body
grep -F '.txt' body
[ "$(grep -cF '.txt' body)" = 2 ]
perl root/usr/bin/mactime -b body -d -y -z UTC >timeline 2>messages
cat timeline messages
grep -q 'one\.txt' timeline
! grep -q '2\.txt' timeline
[ ! -s messages ]
