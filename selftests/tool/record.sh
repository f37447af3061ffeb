#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fpgabuf capture --direct with a simulated channel and a disk: TAP.
# Usage: record.sh [DEVICE]
#
# The disk is the one with the serial number fpgabuf-disk. It is overwritten.
# shellcheck source=tool_lib.sh
. "$(dirname "$0")/tool_lib.sh"

check=$(dirname "$0")/record_check

find_disk() {
	local serial

	modprobe -q virtio_blk
	for serial in /sys/block/*/serial; do
		[ "$(cat "$serial" 2>/dev/null)" = fpgabuf-disk ] || continue
		serial=${serial#/sys/block/}
		echo "/dev/${serial%%/*}"
		return
	done
	return 1
}

if ! disk=$(find_disk); then
	echo "1..0 # SKIP no disk with the serial number fpgabuf-disk: give one to the guest (run --disk)"
	exit 4
fi

mkdir "$dir/disk"
if ! busybox mke2fs -F -b "${BLOCK:-4096}" "$disk" >"$dir/out" 2>"$dir/err" ||
	! mount -t ext2 "$disk" "$dir/disk" 2>"$dir/err"; then
	sed 's/^/# /' "$dir/out" "$dir/err"
	echo "Bail out! no file system on $disk"
	exit 1
fi
trap 'umount "$dir/disk"; rm -rf "$dir"' EXIT
file=$dir/disk/frames

# record STATUS NAME ARGUMENT…
record() {
	local wanted=$1 name=$2

	shift 2
	capture "$wanted" "$name" --direct "$file" "$@"
}

# What the first line says: bytes from a frame to the next
stride() {
	sed -nE '1s/^frames of [0-9]+ bytes, one every ([0-9]+) bytes of .*/\1/p' "$dir/out"
}

# has_frames SIZE COUNT: they are in the file, whole, in order, and straight from the FPGA.
has_frames() {
	"$check" "$file" "$1" "$(stride)" "$2" >"$dir/checked" 2>&1
	ok $? "$2 frames of $1 bytes: $(cat "$dir/checked")"
}

test_usage() {
	record 2 "two files" --output "$dir/frames"
	record 2 "a kind of memory" --kind system
	record 2 "a heap" --register-heap /dev/dma_heap/system
	capture 1 "a file that cannot" --direct /dev/full --frames 1
	err_has "^fpgabuf: /dev/full: cannot be written with direct I/O: use --output$"
	capture 1 "no such folder" --direct "$dir/nosuch/file" --frames 1
	err_has "nosuch/file: No such file or directory"
}

in_blocks() {
	[ "$1" -ge "$2" ] && [ "$1" -lt 9000 ] && [ $(($1 % 512)) -eq 0 ]
}

test_frames() {
	local stride

	record 0 "whole blocks" --bytes 4K --frames 200 --rate max --verify
	out_has "^frames of 4096 bytes, one every 4096 bytes of $file$"
	out_has "^200 frames, .* 0 lost, 0 wrong"
	silent err
	has_frames 4096 200
	record 0 "blocks with a rest" --bytes 5000 --frames 50 --rate max
	has_frames 5000 50
	stride=$(stride)
	# 512 is the least that a disk's block may be.
	in_blocks "$stride" 5000
	ok $? "one every $stride bytes"
	record 0 "pictures" --format YUYV --size 322x31 --frames 20 --rate max
	has_frames 19964 20
	record 0 "large frames" --bytes 2M --frames 12 --rate max --buffers 4
	has_frames 2097152 12
	record 0 "a smaller recording than was there" --bytes 64 --frames 3 \
		--rate max --quiet
	silent out
	[ "$(size disk/frames)" -lt 13000 ]
	ok $? "what was there is gone"
}

# Every write is of memory that was asked for as that of the frames.
test_no_copy() {
	local line ranges=() writes=0 wrong=0 address range

	strace -o "$dir/trace" -e trace=openat,madvise,pwrite64 -e raw=madvise,pwrite64 \
		"$FPGABUF" capture --device "$DEVICE" --direct "$file" --bytes 60000 \
		--frames 30 --rate max >"$dir/out" 2>"$dir/err" </dev/null
	ok $? "traced"
	has_line "$dir/trace" "\"$file\", O_WRONLY\|O_CREAT\|O_DIRECT\|O_CLOEXEC"
	ok $? "the file is open for direct I/O"
	while IFS= read -r line; do
		if [[ $line =~ ^madvise\((0x[0-9a-f]+),\ (0x[0-9a-f]+),\ 0xe\) ]]; then
			ranges+=("${BASH_REMATCH[1]} $((BASH_REMATCH[1] + BASH_REMATCH[2]))")
		elif [[ $line =~ ^pwrite64\((0x[0-9a-f]+),\ (0x[0-9a-f]+), ]]; then
			writes=$((writes + 1))
			address=${BASH_REMATCH[2]}
			for range in "${ranges[@]}"; do
				[ $((address)) -lt $((${range% *})) ] || [ $((address)) -ge "${range#* }" ] || continue 2
			done
			wrong=$((wrong + 1))
		fi
	done <"$dir/trace"
	[ "$writes" -ge 30 ] && [ "$wrong" -eq 0 ] && [ ${#ranges[@]} -eq 8 ]
	ok $? "$writes writes, $wrong of them not from one of ${#ranges[@]} buffers"
	has_frames 60000 30
}

# As many whole frames as there is room for, and no half one
test_full() {
	local frames

	record 1 "more than the disk has room for" --bytes 4M --frames 100 --rate max
	err_has "^fpgabuf: $file: No space left on device$"
	frames=$(sed -nE 's/^([0-9]+) frames, .*/\1/p' "$dir/out")
	[ "$frames" -ge 8 ]
	ok $? "$frames frames are told"
	has_frames 4194304 "$frames"
	rm "$file"
}

# An ordinary user, with less memory to pin than the buffers have
test_memlock() {
	local mode

	mode=$(stat -c %a "$DEVICE")
	chmod 666 "$DEVICE"
	chmod 777 "$dir/disk"
	chmod 711 "$dir"
	(
		ulimit -l 64
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$FPGABUF" capture \
			--device "$DEVICE" --direct "$file" --bytes 32K --buffers 4 --frames 4
	) >"$dir/out" 2>"$dir/err" </dev/null
	[ $? -eq 1 ]
	ok $? "less memory to pin than it takes: exit status 1"
	err_has "^fpgabuf: $DEVICE: 32768 bytes more cannot be pinned: .*RLIMIT_MEMLOCK"
	chmod "$mode" "$DEVICE"
	rm -f "$file"
}

test_usage
test_frames
test_no_copy
test_full
test_memlock

finish
