#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fpgabuf import with a simulated importing device (fpgabuf_sim): TAP.
# Usage: import.sh [DEVICE]
# shellcheck source=tool_lib.sh
. "$(dirname "$0")/tool_lib.sh"
IMPORTER=/dev/fpgabuf_import0
FAULTS=/sys/kernel/debug/fpgabuf_sim.0/copy0

[ -c "$IMPORTER" ] || missing "no $IMPORTER: fpgabuf_sim was told copier=0"
HOLDER=("$(dirname "$0")/filler")

# The numbers of all CRCs that are said
crcs() {
	values CRC-32C | grep -o '0x[0-9a-f]*'
}

differ() {
	[ "$1" != "$2" ]
}

test_device() {
	run 0 "the device" import
	out_values Device "$IMPORTER/"
	out_values Name "fpgabuf_sim.0 copy0/"
	out_values Driver fpgabuf_sim/
	out_values State ready/
	out_has "^Timeout: +[0-9]+ ms a piece$"
	run 0 "by its number" import --device 0
	out_values Device "$IMPORTER/"

	run 1 "no such device" import --device 77
	err_has "^fpgabuf: /dev/fpgabuf_import77: no such device; "
	run 1 "not an importing device" import --device "$DEVICE"
	err_has "^fpgabuf: $DEVICE: is not an fpgabuf importing device$"
	exec 5<>"$IMPORTER"
	run 1 "another program has it" import --device fpgabuf_import0
	err_has "^fpgabuf: $IMPORTER: is busy: another program has it$"
	exec 5>&-
}

test_read() {
	start_holder --kind contiguous --size 64K
	run 0 "one buffer" import "$pid" "${fds[0]}"
	out_values Buffer "file descriptor ${fds[0]} of process $pid/"
	out_values Exporter fpgabuf-contiguous/
	out_values Size "64 KiB/"
	out_values "Device pieces" "1, of 64 KiB/"
	out_has "^Copied: +64 KiB in [0-9.]+ ms, [0-9]+ MB/s$"
	out_has "^CRC-32C: +0x[0-9a-f]{8}, the same for the CPU$"
	silent err
	run 0 "its pieces" import --segments --movable --peer --channel "$DEVICE" "$pid" "${fds[0]}"
	out_has "^ +0: 64 KiB, aligned to [0-9]+ [KMG]iB$"
	out_has "^CRC-32C: +0x[0-9a-f]{8}, the same for the CPU$"
	test_faults
	end_holder
}

test_faults() {
	echo error >"$FAULTS/fault"
	run 1 "the engine fails" import "$pid" "${fds[0]}"
	err_has "^fpgabuf: file descriptor ${fds[0]} of process $pid: the engine failed$"
	echo hang >"$FAULTS/fault"
	run 1 "the engine hangs" import "$pid" "${fds[0]}"
	err_has "^fpgabuf: file descriptor ${fds[0]} of process $pid: the engine took too long$"
	echo none >"$FAULTS/fault"
}

# What is written between the device's look at it and the CPU's
test_changing() {
	HOLDER+=(keep)
	start_holder --kind coherent --size 8K
	echo 500 >"$FAULTS/fault_ms"
	echo late >"$FAULTS/fault"
	run 1 "a buffer that changes" import "$pid" "${fds[0]}"
	out_has "^CRC-32C: +0x[0-9a-f]{8}, for the CPU 0x[0-9a-f]{8}$"
	err_has "different bytes, from byte (6[4-9]|7[01]) on: "
	echo none >"$FAULTS/fault"
	echo 100 >"$FAULTS/fault_ms"
	end_holder
	unset 'HOLDER[1]'
}

test_copy() {
	local before wanted

	start_holder --kind system --size 64K --count 2
	run 0 "the second one, before" import "$pid" "${fds[1]}"
	before=$(crcs)
	run 0 "the first one" import "$pid" "${fds[0]}"
	wanted=$(crcs)
	differ "$before" "$wanted"
	ok $? "they differ"
	run 0 "a copy" import "$pid" "${fds[0]}" "$pid" "${fds[1]}"
	out_values Buffer \
		"file descriptor ${fds[0]} of process $pid/file descriptor ${fds[1]} of process $pid/"
	out_values Size "64 KiB/64 KiB/"
	run 0 "the second one, after" import "$pid" "${fds[1]}"
	[ "$(crcs)" = "$wanted" ]
	ok $? "it has the bytes of the first one"
	run 1 "to itself" import "$pid" "${fds[0]}" "$pid" "${fds[0]}"
	err_has "^fpgabuf: file descriptor ${fds[0]} of process $pid: is the same buffer as the other one$"
	test_small
	end_holder
}

# As much as fits is not what was asked for.
test_small() {
	local large=${fds[0]} large_pid=$pid

	exec 6>&4
	start_holder --size 4K
	run 1 "a copy to a smaller one" import "$large_pid" "$large" "$pid" "${fds[0]}"
	err_has "^fpgabuf: file descriptor ${fds[0]} of process $pid: is too small for the other one$"
	end_holder
	exec 4>&6 6>&-
	pid=$large_pid
}

test_bad() {
	run 1 "not a dma-buf" import $$ 0
	err_has "^fpgabuf: file descriptor 0 of process $$: is not a dma-buf$"
	run 1 "no such descriptor" import $$ 1000
	err_has "^fpgabuf: process $$: has no file descriptor 1000$"
	run 1 "no such process" import "$pid" 4
	err_has "^fpgabuf: there is no process $pid$"
	run 2 "half of a buffer" import $$
	err_has "^fpgabuf: process $$: the number of a file descriptor is missing$"
	run 2 "not a process" import self 4
	err_has "^fpgabuf: 'self' is not the number of a process$"
	run 2 "not a descriptor" import $$ x
	err_has "^fpgabuf: 'x' is not a file descriptor$"
	run 2 "too many" import 1 2 3 4 5
	err_has "^fpgabuf: unexpected argument '5'$"
	run 2 "no such option" import --segment-list
}

test_device
test_read
test_changing
test_copy
test_bad

finish
