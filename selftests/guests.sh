# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # CHECK_CPUS is a lane's
#
# Which tests share a guest, and what a guest needs for the tests that it runs. FOLDERS are words, FOLDER or FOLDER/PROGRAM each.

# What a guest each runs, unless the lane has CHECK_GUESTS of its own. With one processor an emulated guest is faster; the
# tests of races need two, as do those of a lane with CHECK_CPUS.
GUESTS=("importer fences sim sample" "fpgabuf" "gstreamer tool" "heaps kinds fuzz compat" "power" "suspend")

# has_folder FOLDERS F: whether one of them is, or is of, folder F.
has_folder() {
	[[ " $1 " =~ \ $2[/\ ] ]]
}

# guest_cpus FOLDERS
guest_cpus() {
	if [ "$CHECK_CPUS" ]; then
		echo "$CHECK_CPUS"
	elif has_folder "$1" fpgabuf || has_folder "$1" power; then
		echo 2
	else
		echo 1
	fi
}

# guest_options FOLDERS: for vm/run
guest_options() {
	local options=()
	! has_folder "$1" tool || options+=(--disk 64M)
	! has_folder "$1" faults || options+=(--failing-memory)
	! has_folder "$1" power || options+=(--patches-code)
	! has_folder "$1" suspend || options+=(--suspends)
	echo "${options[*]}"
}
