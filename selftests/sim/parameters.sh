#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The parameters of fpgabuf_sim: what channels it has then, in the order of their nodes. TAP.
set -u
MODULE=fpgabuf_sim
PARAMETERS=/sys/module/$MODULE/parameters
count=0
failed=0

# A failure where all is known to be there, as in a lane
missing() {
	if [ "${FPGABUF_REQUIRED:-}" ]; then
		echo "1..1"
		echo "not ok 1 - $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 4
}

[ -d "$PARAMETERS" ] || missing "$MODULE is not loaded"
command -v fpgabuf >/dev/null || missing "no fpgabuf program"

# How it was loaded, for afterwards
before=()
for file in "$PARAMETERS"/*; do
	before+=("${file##*/}=$(cat "$file")")
done

reload() {
	rmmod "$MODULE" 2>/dev/null
	modprobe "$MODULE" "$@" 2>/dev/null
}
trap 'reload "${before[@]}"' EXIT

ok() {
	count=$((count + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $count - $3"
		return
	fi
	failed=$((failed + 1))
	echo "# wanted: $1"
	echo "# found:  $2"
	echo "not ok $count - $3"
}

names() {
	local node name all=()
	while read -r node _ name _; do
		all+=("${node#/dev/fpgabuf}:$name")
	done < <(fpgabuf list)
	echo "${all[*]}"
}

# channels "NAMES" PARAMETER…
channels() {
	local wanted=$1
	shift
	reload "$@"
	ok "$wanted" "$(names)" "${*:-no parameters}"
}

# importers NUMBER PARAMETER…
importers() {
	local wanted=$1 nodes
	shift
	reload "$@"
	nodes=$(find /dev -maxdepth 1 -name 'fpgabuf_import*' | wc -l)
	ok "$wanted" "$nodes" "importing devices: ${*:-no parameters}"
}

refused() {
	if reload "$@"; then ok refused loaded "$*"; else ok refused refused "$*"; fi
}

# captures PARAMETER…: frames that are whole, by the program that people use
captures() {
	reload "$@"
	fpgabuf capture --verify --quiet --format raw --bytes 4096 --rate 20 --buffers 16 --frames 20
	ok 0 "$?" "fpgabuf capture --verify: $*"
}

channels "0:rx0 1:rx1 2:tx0 3:loop0"
channels "0:rx0 1:rx1" outputs=0
channels "0:rx0 1:rx1 2:tx0" loopback=0
channels "0:rx0 1:tx0 2:tx1 3:loop0" channels=1 outputs=2
channels "0:rx0 1:rx1 2:rx2 3:rx3 4:rx4 5:rx5 6:rx6 7:rx7 8:tx0 9:tx1 10:tx2 11:tx3 12:tx4 13:tx5 14:tx6 15:tx7 16:loop0" \
	channels=8 outputs=8 ram=0
importers 1
importers 0 copier=0
refused channels=0
refused channels=9
refused outputs=9
refused engine=abacus
for engine in ideal vdma axidma xdma qdma cyclic edma; do
	captures engine=$engine
done
echo "1..$count"
[ "$failed" = 0 ]
