#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fpgasrc from the command line: gst-inspect-1.0, gst-launch-1.0, and
# fpgaverify, which must see what is wrong as well as what is right.

DIR="$(dirname "$(readlink -f "$0")")"
# shellcheck source=/dev/null # the kernel's
. "$DIR/../kselftest/ktap_helpers.sh"

DEVICE="${FPGABUF_DEVICE:-/dev/fpgabuf0}"
CAPS="video/x-raw,format=YUY2,width=64,height=48"
UNTHROTTLED="$CAPS,framerate=0/1"
TMP=

skip_all() {
	ktap_print_header
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

# What comes with this tree is there in a lane: a failure.
missing() {
	[ "${FPGABUF_REQUIRED:-}" ] || skip_all "$1"
	ktap_print_header
	ktap_set_plan 1
	ktap_test_fail "$1"
	exit "$KSFT_FAIL"
}

# result NAME STATUS: prints what went to $TMP/log when it failed
result() {
	if [ "$2" = 0 ]; then
		ktap_test_pass "$1"
		return
	fi
	sed 's/^/# /' "$TMP/log"
	ktap_test_fail "$1"
}

# A line key=value of fpgaverify's summary
value() {
	sed -n "s/^$1=//p" "$TMP/log"
}

# verify OPTIONS... PIPELINE: all output to $TMP/log
verify() {
	"$DIR/fpgaverify" --quiet --timeout 60 "$@" >"$TMP/log" 2>&1
}

# --exists would ask for a plugin of version 1.0.
inspect() {
	gst-inspect-1.0 "$1" >"$TMP/log" 2>&1
}

test_inspect() {
	grep -q 'Klass *Source/Video' "$TMP/log" &&
		grep -q 'copied-bytes' "$TMP/log"
}

test_launch() {
	gst-launch-1.0 fpgasrc device="$DEVICE" num-buffers=30 ! "$CAPS" ! \
		fakesink >"$TMP/log" 2>&1 &&
		grep -q 'Got EOS' "$TMP/log"
}

# No object may be left when all is done. The class line tells that the tracer
# was there to see it.
test_leaks() {
	GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 \
		verify --frames 20 fpgasrc device="$DEVICE" ! "$UNTHROTTLED" ! \
		appsink name=verify &&
		[ "$(value frames)" = 20 ] &&
		grep -q 'object-alive.class' "$TMP/log" &&
		! grep -q 'object-alive, type-name=(string)[^%]' "$TMP/log"
}

test_verify_good() {
	verify --frames 100 fpgasrc device="$DEVICE" ! "$UNTHROTTLED" ! \
		tee name=t ! queue ! fakesink name=other sync=false \
		t. ! queue ! appsink name=verify &&
		[ "$(value frames)" = 100 ] && [ "$(value lost)" = 0 ] &&
		[ "$(value wrong)" = 0 ] && [ "$(value reordered)" = 0 ] &&
		[ "$(value copied_bytes)" = 0 ] && [ "$(value result)" = good ] &&
		[ "$(value rendered)" = 100 ] && [ "$(value rendered.other)" = 100 ]
}

# A signal ends the stream in order: what came until then is judged. On a slow machine it takes longer until any does.
test_verify_interrupted() {
	for seconds in 2 5 12; do
		timeout --preserve-status -s INT $seconds "$DIR/fpgaverify" \
			fpgasrc device="$DEVICE" ! "$CAPS,framerate=20/1" ! \
			appsink name=verify >"$TMP/log" 2>&1
		status=$?
		[ "$(value frames)" = 0 ] || break
	done
	[ "$status" = 0 ] && [ "$(value frames)" -gt 0 ] && [ "$(value result)" = good ]
}

test_verify_sees_loss() {
	verify fpgasrc device="$DEVICE" num-buffers=60 ! "$UNTHROTTLED" ! \
		identity drop-probability=0.2 ! appsink name=verify
	[ $? = 1 ] && [ "$(value lost)" -gt 0 ] && [ "$(value result)" = bad ]
}

test_verify_sees_missing_frames() {
	verify --frames 60 fpgasrc device="$DEVICE" ! "$UNTHROTTLED" ! \
		identity eos-after=10 ! appsink name=verify
	[ $? = 1 ] && [ "$(value frames)" -lt 60 ] && [ "$(value lost)" = 0 ]
}

# A copy is no dma-buf, and has lost the trailer, which lay in the padding.
test_verify_sees_copies() {
	verify --frames 10 fpgasrc device="$DEVICE" stride-align=256 ! \
		"$UNTHROTTLED" ! appsink name=verify
	[ $? = 1 ] && [ "$(value not_dmabuf)" = 10 ] && [ "$(value wrong)" = 10 ] &&
		[ "$(value copied_bytes)" = $((10 * 64 * 2 * 48)) ]
}

test_verify_png() {
	rm -f "$TMP/frame.png"
	verify --frames 5 --png "$TMP/frame.png" --png-frame 2 \
		fpgasrc device="$DEVICE" ! "$UNTHROTTLED" ! \
		appsink name=verify || return 1
	# the signature, and width and height out of the first chunk
	[ "$(od -An -tx1 -N8 "$TMP/frame.png" | tr -d ' ')" = 89504e470d0a1a0a ] &&
		[ "$(od -An -tx1 -j16 -N8 "$TMP/frame.png" | tr -d ' ')" = \
			0000004000000030 ]
}

run() {
	"test_$1"
	result "$1" $?
}

[ -x "$DIR/fpgaverify" ] || missing "fpgaverify was not built"
[ -e "$DEVICE" ] || missing "no channel device, is fpgabuf_sim loaded?"
TMP=$(mktemp -d) || exit 1
trap 'rm -rf "$TMP"' EXIT
inspect fpgasrc || missing "the GStreamer plugin fpgabuf is not installed"

ktap_print_header
ktap_set_plan 9
for test in inspect launch leaks verify_good verify_interrupted \
	verify_sees_loss verify_sees_missing_frames verify_sees_copies; do
	run "$test"
done
if inspect pngenc; then
	run verify_png
else
	ktap_test_skip "verify_png: no pngenc"
fi
ktap_finished
