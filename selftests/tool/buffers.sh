#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fpgabuf alloc and fpgabuf inspect with a simulated channel (fpgabuf_sim): TAP.
# Usage: buffers.sh [DEVICE]
# shellcheck source=tool_lib.sh
. "$(dirname "$0")/tool_lib.sh"

test_alloc() {
	local kind kinds="coherent contiguous noncontiguous system writecombine"

	for kind in $kinds; do
		run 0 "alloc $kind" alloc --device "$DEVICE" --kind "$kind" --size 64K
		out_values Exporter "fpgabuf-$kind/"
		out_values Kind "$kind/"
		out_values Size "64 KiB/"
		out_values "Memory pieces" "1, of 64 KiB/"
		out_values "Device pieces" "1, of 64 KiB/"
		out_values Attached none/
		silent err
	done
	run 0 "default kind, rounded up" alloc --size 4097 --count 2
	out_values Kind system/system/
	out_values Size "8 KiB/8 KiB/"

	run 3 "a command's status" alloc -s 4K -- sh -c 'exit 3'
	# shellcheck disable=SC2016 # for the shell that it starts
	run 0 "what a command inherits" alloc --quiet -s 1M -n 3 \
		sh -c 'for fd in $FPGABUF_FD; do readlink /proc/$$/fd/$fd; done'
	[ "$(cat "$dir/out")" = "$(printf '/dmabuf:\n%.0s' 1 2 3)" ]
	ok $? "three dma-bufs, and nothing else is said"
	run 127 "no such command" alloc -q -s 4K nosuch-command
	err_has "^fpgabuf: nosuch-command: No such file or directory$"
	run 126 "not a command" alloc -q -s 4K /
	run 1 "more memory than there is" alloc --kind system --size 1000G
	err_has "$DEVICE: no system memory for a buffer of 1073741824000 bytes"
}

test_inspect() {
	start_holder --kind contiguous --size 64K --count 2
	run 0 "one buffer of a process" inspect "$pid" "${fds[1]}"
	out_values Buffer "file descriptor ${fds[1]} of process $pid/"
	out_values Kind contiguous/
	run 0 "all of them" inspect --device "$DEVICE" "$pid"
	out_values Buffer \
		"file descriptor ${fds[0]} of process $pid/file descriptor ${fds[1]} of process $pid/"
	out_values Size "64 KiB/64 KiB/"
	silent err
	run 1 "not a dma-buf" inspect "$pid" 0
	err_has "^fpgabuf: file descriptor 0 of process $pid: is not a dma-buf$"
	run 1 "no such descriptor" inspect "$pid" 1000
	err_has "^fpgabuf: process $pid: has no file descriptor 1000$"
	test_not_permitted
	end_holder

	run 1 "no such process" inspect "$pid"
	err_has "^fpgabuf: there is no process $pid$"
	run 1 "no such process, for a descriptor" inspect "$pid" 4
	err_has "^fpgabuf: there is no process $pid$"
	run 1 "no buffers" inspect $$
	err_has "^fpgabuf: process $$: has no dma-buf open$"
}

# A user who may open the channel, but not look into root's process
test_not_permitted() {
	local mode numbers=("${fds[0]}" "")

	mode=$(stat -c %a "$DEVICE")
	chmod 666 "$DEVICE"
	for number in "${numbers[@]}"; do
		# shellcheck disable=SC2086 # one argument, or none
		setpriv --reuid 65534 --regid 65534 --clear-groups "$FPGABUF" \
			inspect --device "$DEVICE" "$pid" $number >"$dir/out" \
			2>"$dir/err"
		[ $? -eq 1 ]
		ok $? "another user's process: exit status 1"
		err_has "^fpgabuf: process $pid: its file descriptors are only for root and its owner"
	done
	chmod "$mode" "$DEVICE"
}

test_alloc
test_inspect

finish
