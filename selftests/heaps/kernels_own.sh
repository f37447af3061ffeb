#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own test of dma-heaps, as it is, on a heap for every kind of memory
# of the simulated FPGA: its TAP.
TEST=$(dirname "$0")/../dmabuf-heaps/dmabuf-heap
DEVICE=fpgabuf_sim.0
NODES=/dev/dma_heap/fpgabuf-$DEVICE
TOTALS=/sys/kernel/debug/fpgabuf/buffers

skip() {
	echo "1..0 # SKIP $1"
	exit 4
}

# What comes with this tree is there in a lane: a failure.
missing() {
	[ "${FPGABUF_REQUIRED:-}" ] || skip "$1"
	echo "1..1"
	echo "not ok 1 - $1"
	exit 1
}

[ -x "$TEST" ] || skip "no ../dmabuf-heaps: the kernel's test is not built"
[ -e "/sys/bus/platform/devices/$DEVICE" ] || missing "no simulated FPGA: load fpgabuf_sim"
[ -e "$TOTALS" ] || mount -t debugfs debugfs /sys/kernel/debug
# Without it the test says so, and skips its import.
vgem=
[ -e /sys/module/vgem ] || ! modprobe -q vgem || vgem=1
dir=$(mktemp -d) || exit 1
trap 'rm -r "$dir"; [ -z "$vgem" ] || modprobe -q -r vgem' EXIT
out=$dir/out

# It tests all heaps, so it sees none but ours: the kernel's own cannot be
# imported with bounce buffers, its pieces being longer than one of them.
mkdir "$dir/nodes"
cp -a "$NODES"-* "$dir/nodes"
# shellcheck disable=SC2016 # expanded in there
unshare -m sh -c 'mount --bind "$1" /dev/dma_heap && exec "$2"' sh "$dir/nodes" "$TEST" >"$out"
status=$?
cat "$out"

# It tests the heaps it finds, and is content when it finds none.
while read -r kind _; do
	# These have no heap: a size is not enough, or nobody else could import it.
	case $kind in user | pool | region) [ -e "$NODES-$kind" ] || continue ;; esac
	[ -c "$NODES-$kind" ] && grep -q "Testing heap: ${NODES##*/}-$kind\$" "$out" && continue
	echo "# no test of $NODES-$kind"
	status=1
done <"$TOTALS"
exit "$status"
