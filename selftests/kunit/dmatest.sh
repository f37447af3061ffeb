#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own test of DMA engines, dmatest, on the simulated FPGA's engine that copies: random lengths and offsets, each
# byte compared, from one thread and from two. TAP.
set -u

DEVICE=fpgabuf_sim.0
PARAMETERS=/sys/module/dmatest/parameters
POWER=/sys/bus/platform/devices/$DEVICE/power/control
ITERATIONS=100

skip() {
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

missing() {
	[ -z "${FPGABUF_REQUIRED:-}" ] || { echo "not ok 1 - $*"; exit 1; }
	skip "$*"
}

# The simulated FPGA's channels are added in one order, and that which copies comes last.
copying_channel() {
	local entry
	for entry in /sys/class/dma/*; do
		[ "$(basename "$(readlink -f "$entry/device")")" != "$DEVICE" ] || echo "${entry##*/}"
	done | sort -V | tail -n 1
}

# summaries MARK: what dmatest said since MARK, a line for each thread.
summaries() {
	dmesg | sed -n "/$1/,\$p" | grep -E 'dmatest: .*: summary '
}

# copies THREADS: all of each thread's copies are right.
copies() {
	local threads=$1 mark lines good
	count=$((count + 1))
	mark="dmatest $$ $threads"
	echo "$mark" >/dev/kmsg
	# The threads of a channel are added when it is named, as the parameters before it say.
	modprobe dmatest device="$DEVICE" threads_per_chan="$threads" iterations="$ITERATIONS" timeout=10000 \
		channel="$channel" run=1
	# Reading it waits for the threads.
	cat "$PARAMETERS/wait" >/dev/null
	rmmod dmatest
	lines=$(summaries "$mark")
	good=$(grep -cE "summary $ITERATIONS tests, 0 failures" <<<"$lines")
	if [ "$good" = "$threads" ]; then
		echo "ok $count - $threads threads"
	else
		failed=1
		dmesg | sed -n "/$mark/,\$s/^/# /p" | tail -n 20
		echo "not ok $count - $threads threads"
	fi
}

[ -d "/sys/bus/platform/devices/$DEVICE" ] || missing "no $DEVICE: fpgabuf_sim is not loaded"
modprobe -n -q dmatest || skip "no dmatest: CONFIG_DMATEST is off in this kernel"
channel=$(copying_channel)
[ "$channel" ] || missing "$DEVICE has no channel"
count=0
failed=
# dmatest does not know that the FPGA has power only while a driver of its board wants it.
trap 'echo auto >"$POWER"' EXIT
echo on >"$POWER"
echo "TAP version 13"
copies 1
copies 2
echo "1..$count"
[ -z "$failed" ]
