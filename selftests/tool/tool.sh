#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fpgabuf program with a simulated channel (fpgabuf_sim): TAP.
# Usage: tool.sh [DEVICE]
# shellcheck source=tool_lib.sh
. "$(dirname "$0")/tool_lib.sh"

test_usage() {
	run 2 "no command"
	run 2 "unknown command" nosuch
	run 2 "unknown option" capture --nosuch
	err_has "^Try 'fpgabuf capture --help'"
	run 2 "argument of list" list x
	run 2 "two devices" info 0 1
	run 2 "two devices of stats" stats 0 1
	run 2 "argument of capture" capture x
	run 2 "no value" capture --frames
	run 2 "bad number" capture --frames 1x
	run 2 "bad size" capture --size 64
	run 2 "bytes of a picture" capture --format YUYV --bytes 64
	run 2 "packets of a picture" capture --format YUYV --packets
	err_has "^fpgabuf: --packets is for raw frames$"
	run 2 "a recording of packets" capture --bytes 4K --packets --direct /dev/null
	run 2 "size of a block" capture --format raw --size 64x64
	run 2 "two sources of memory" capture --kind system \
		--register-heap /dev/null
	run 2 "no size" alloc --kind system
	run 2 "bad size of a buffer" alloc --size 0
	err_has "^fpgabuf: -s: '0' is not valid$"
	run 2 "unknown kind" alloc --size 4K --kind nosuch
	run 2 "a kind that needs more than a size" alloc --size 4K --kind user
	run 2 "too many buffers" alloc --size 4K --count 1025
	run 2 "no process" inspect
	run 2 "bad process" inspect 1x
	err_has "'1x' is not the number of a process"
	run 2 "bad descriptor" inspect 1 -- -1
	run 2 "three arguments of inspect" inspect 1 2 3
	for command in list info alloc inspect capture stats; do
		run 0 "help of $command" $command --help
		out_has "^Usage: fpgabuf $command"
		silent err
	done
}

test_list_info() {
	run 0 "list" list
	[ "$(wc -l <"$dir/out")" -eq "$(find /sys/class/fpgabuf -type l | wc -l)" ]
	ok $? "one line a channel"
	out_has "^$DEVICE .* capture  YUYV 1280x720 +60 fps$"

	run 0 "info by node" info "$DEVICE"
	cp "$dir/out" "$dir/node"
	out_has "^Device: +$DEVICE$"
	out_has "^Memory kinds:   coherent contiguous system writecombine noncontiguous user pool region$"
	for format in YUYV UYVY XR24 R8 'raw \(also packets\)'; do
		out_has "^  $format$"
	done
	run 0 "info by name" info "${DEVICE#/dev/}"
	cmp -s "$dir/out" "$dir/node"
	ok $? "same info by name"
	run 0 "info by number" info "${DEVICE#/dev/fpgabuf}"
	cmp -s "$dir/out" "$dir/node"
	ok $? "same info by number"
}

# counter NAME: of the statistics that were printed last.
counter() {
	sed -n "s/^$1: *//p" "$dir/out"
}

test_stats() {
	local frames bytes

	run 0 "stats" stats "$DEVICE"
	silent err
	out_has "^Device: +$DEVICE$"
	out_has "^State: +stopped$"
	out_has "^Timed out: +[0-9]+$"
	out_has "^Stray: +0$"
	frames=$(counter Frames) bytes=$(counter Bytes)
	capture 0 "for the statistics" --bytes 64 --frames 100 --rate max
	run 0 "stats by number" stats "${DEVICE#/dev/fpgabuf}"
	frames=$(($(counter Frames) - frames)) bytes=$(($(counter Bytes) - bytes))
	[ "$frames" -ge 100 ]
	ok $? "frames are counted"
	[ "$bytes" = $((64 * frames)) ]
	ok $? "so are their bytes"
}

test_formats() {
	local format size

	capture 0 "default format" --frames 3 --verify
	out_has "^3 frames, 5529600 bytes in .* 0 lost, 0 wrong, 0 out of order; contents verified$"
	silent err
	for format in YUYV UYVY XR24 R8; do
		capture 0 "$format" --format $format --size 66x31 --frames 20 \
			--verify --rate max
		out_has "^20 frames, .* verified$"
	done
	capture 0 "smallest block" --bytes 64 --frames 1000 --verify --rate max
	out_has "^1000 frames, 64000 bytes"
	capture 0 "packets" --bytes 2K --packets --frames 500 --verify \
		--rate max --output "$dir/packets"
	size=$(stat -c %s "$dir/packets")
	[ "$size" -gt $((500 * 64)) ] && [ "$size" -lt $((500 * 2048)) ]
	ok $? "packets are written as long as they are: $size bytes of 500"
	rm "$dir/packets"
	capture 0 "large block" --bytes 8M --frames 2 --verify --rate max
	out_has "^2 frames, 16777216 bytes"
	capture 0 "fraction of a rate" --bytes 4K --rate 30000/1001 --frames 3 \
		--verify
	out_has "verified$"
}

test_memory() {
	local kind

	for kind in coherent contiguous system writecombine noncontiguous region; do
		capture 0 "$kind memory" --kind $kind --bytes 64K --frames 50 \
			--verify --rate max
	done
	capture 1 "longer than a piece" --kind noncontiguous --bytes 8M --frames 1
	err_has "$DEVICE: 8388608 bytes are more than its longest piece,"
	capture 0 "one buffer" --buffers 1 --bytes 4K --frames 50 --verify \
		--rate max
	capture 0 "32 buffers" --buffers 32 --bytes 4K --frames 500 --verify \
		--rate max
	capture 1 "33 buffers" --buffers 33 --frames 1
	err_has "$DEVICE: takes at most 32 buffers"
	capture 1 "no heap" --register-heap /dev/dma_heap/nosuch --frames 1
	err_has "/dev/dma_heap/nosuch: No such file"
	capture 1 "not a heap" --register-heap /dev/null --frames 1
	err_has "/dev/null: is not a dma-heap"
	test_heap
}

test_heap() {
	heap=/dev/dma_heap/system
	if ! [ -c $heap ]; then
		skip "memory of a heap" "no $heap: CONFIG_DMABUF_HEAPS_SYSTEM is off in this kernel"
		return
	fi
	# Of a large buffer the heap has pieces of 1 MiB; the largest that can
	# be bounced is 256 KiB.
	size=1280x720
	! grep -q swiotlb=force /proc/cmdline || size=320x240
	capture 0 "memory of a heap" --frames 20 --verify --rate max \
		--size $size --register-heap $heap
}

test_output() {
	capture 0 "to a file" --bytes 4K --frames 10 --rate max --verify \
		--output "$dir/frames"
	out_has "^10 frames"
	size frames | grep -qx 40960
	ok $? "ten frames are in the file"
	# A raw frame counts from its number on, up to its trailer.
	od -An -v -tu4 -w4096 "$dir/frames" | awk '
		{ for (i = 1; i <= 1016; i++) bad += $i != NR + i - 2 }
		END { exit bad || NR != 10 }'
	ok $? "they are whole and in order"

	capture 0 "to standard output" --bytes 4K --frames 10 --rate max \
		--output -
	cp "$dir/out" "$dir/piped"
	[ "$(size piped)" -eq 40960 ] && [ "$(word piped 36864)" -eq 9 ]
	ok $? "nothing but frames is there"
	err_has "^10 frames"

	capture 1 "full disk" --bytes 4K --frames 10 --output /dev/full
	err_has "^fpgabuf: /dev/full: No space left on device$"
	capture 1 "no such folder" --frames 1 --output "$dir/nosuch/file"
	err_has "nosuch/file: No such file or directory"
	capture 0 "quiet" --bytes 4K --frames 10 --rate max --quiet
	silent out
	silent err

	"$FPGABUF" capture --device "$DEVICE" --bytes 1M --rate max --output - \
		2>"$dir/err" | head -c 1000 >"$dir/out"
	[ "${PIPESTATUS[0]}" -eq 1 ]
	ok $? "reader that goes away: exit status 1"
	err_has "standard output: Broken pipe"
}

test_refused() {
	capture 1 "unknown format" --format ABCD --size 64x64
	err_has "$DEVICE: format ABCD is not supported; the channel has: .*YUYV, .*raw"
	capture 1 "too wide" --size 8194x4
	err_has "YUYV 8194x4 at 60 fps is out of range: it can do 16x1 to 8192x8192"
	capture 1 "too fast" --rate 1000000
	err_has "at 1000000 fps is out of range: .* 1 fps to 10000 fps or max$"
	capture 1 "too large" --bytes 65M
	err_has "raw 65 MiB at .* out of range: it can do 64 bytes to 64 MiB in steps of 4,"
	capture 1 "between two steps" --size 65x31
	err_has "YUYV 65x31 at 60 fps is out of range: .* in steps of 2x1,"
	run 1 "no such device" capture --device "$dir/nosuch" --frames 1
	err_has "$dir/nosuch: no such device"
	run 1 "another device" capture --device /dev/null --frames 1
	err_has "/dev/null: is not an fpgabuf channel"
}

test_loss() {
	capture 1 "loss, checked" --bytes 1M --buffers 1 --rate 10000 \
		--frames 3 --verify
	err_has "^fpgabuf: frame [0-9]+: [0-9]+ lost before it: "
	out_has "^3 frames, .* [1-9][0-9]* lost, 0 wrong, 0 out of order"
	capture 0 "loss, not checked" --bytes 1M --buffers 1 --rate 10000 \
		--frames 3
	out_has "^3 frames, .* [1-9][0-9]* lost, 0 wrong, 0 out of order"

	run 1 "nothing comes" capture --device "$DEVICE" --bytes 4K --rate 1 \
		--timeout 0.1
	err_has "^fpgabuf: $DEVICE: no frame came for 0.1 s$"
	out_has "^0 frames"
}

# Starts a capture in the background, which writes to a pipe (fd 3), and
# returns when frames come.
start_capture() {
	rm -f "$dir/fifo"
	mkfifo "$dir/fifo"
	"$FPGABUF" capture --device "$DEVICE" --output "$dir/fifo" "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null &
	pid=$!
	exec 3<"$dir/fifo"
	head -c 64 <&3 >"$dir/first"
}

end_capture() {
	local wanted=$1 name=$2 status

	wait "$pid"
	status=$?
	exec 3<&-
	[ "$status" -eq "$wanted" ]
	ok $? "$name: exit status $wanted ($status)"
}

test_interrupt() {
	local signal

	for signal in INT TERM; do
		# Blocked in a write, as nobody reads on.
		start_capture --bytes 4M --rate max
		kill -$signal "$pid"
		end_capture 0 "SIG$signal, blocked in write"
		out_has "^[0-9]+ frames"
	done

	start_capture --bytes 64 --rate 50
	cat <&3 >/dev/null &
	kill -TERM "$pid"
	end_capture 0 "SIGTERM, waiting for a frame"
	out_has "^[0-9]+ frames"
	wait

	start_capture --bytes 64 --rate 50 --frames 1000000 --verify
	cat <&3 >/dev/null &
	kill -TERM "$pid"
	end_capture 1 "SIGTERM before all frames came"
	err_has "interrupted after [0-9]+ of 1000000 frames"
	wait

	capture 0 "the channel is free afterwards" --frames 1 --verify
}

test_busy() {
	start_capture --bytes 4K --rate 1
	capture 1 "a channel in use" --frames 1
	err_has "^fpgabuf: $DEVICE: is busy: another program owns the channel$"
	run 0 "info of a channel in use" info "$DEVICE"
	run 0 "memory for a channel in use" alloc --device "$DEVICE" --size 4K
	run 0 "its buffers" inspect --device "$DEVICE" "$pid"
	out_values Registered "$(printf 'yes/%.0s' {1..8})"
	out_values Attached "$(printf 'fpgabuf_sim.0/%.0s' {1..8})"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	exec 3<&-
	capture 0 "a killed program leaves the channel free" --frames 1 --verify
}

test_progress() {
	if ! command -v script >/dev/null; then
		skip progress "no script(1) for a terminal"
		return
	fi
	script -qec "'$FPGABUF' capture --device '$DEVICE' --bytes 4K \
		--rate 20 --frames 50 --verify" "$dir/typescript" \
		>"$dir/out" 2>"$dir/err" </dev/null
	ok $? "on a terminal"
	tr '\r' '\n' <"$dir/typescript" >"$dir/out"
	out_has "^[0-9]+ frames, [0-9.]+ fps, [0-9.]+ MB/s, 0 lost, 0 wrong"
	[ "$(grep -c ' fps, .* 0 wrong$' "$dir/out")" -ge 2 ]
	ok $? "a line a second"
	out_has "50 frames, 204800 bytes"
}

test_unbind() {
	local device driver

	device=$(readlink -f "/sys/class/fpgabuf/${DEVICE#/dev/}/device")
	driver=$(readlink -f "$device/driver")
	if [ ! -w "$driver/unbind" ] && [ -z "${FPGABUF_REQUIRED:-}" ]; then
		skip unbind "$driver/unbind is not writable"
		return
	fi
	start_capture --bytes 64 --rate 1
	echo "${device##*/}" >"$driver/unbind"
	end_capture 1 "the device is unbound"
	err_has "^fpgabuf: $DEVICE: the device is gone$"
	echo "${device##*/}" >"$driver/bind"
	[ ! -c "$DEVICE" ] && command -v udevadm >/dev/null && udevadm settle
	capture 0 "and bound again" --frames 1 --verify
}

test_usage
test_list_info
test_stats
test_formats
test_memory
test_output
test_refused
test_loss
test_interrupt
test_busy
test_progress
test_unbind

finish
