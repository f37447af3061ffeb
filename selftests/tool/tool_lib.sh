# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced by the tests of the program
#
# What they share: a channel, a folder, and TAP.
set -u
DEVICE=${1:-/dev/fpgabuf0}
FPGABUF=${FPGABUF:-fpgabuf}
count=0
failed=0
# Or background jobs would ignore SIGINT.
set -m

# missing WHAT: no test can run. A failure where all is known to be there, as in a lane
missing() {
	if [ "${FPGABUF_REQUIRED:-}" ]; then
		echo "1..1"
		echo "not ok 1 - $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 4
}

[ -c "$DEVICE" ] || missing "no $DEVICE: fpgabuf_sim is not loaded"
command -v "$FPGABUF" >/dev/null || missing "no program $FPGABUF"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

ok() {
	local good=$1 name=$2

	count=$((count + 1))
	if [ "$good" -eq 0 ]; then
		echo "ok $count - $name"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $name"
	sed 's/^/# stdout: /' "$dir/out"
	sed 's/^/# stderr: /' "$dir/err"
}

# run STATUS NAME ARGUMENT...: the program ends with that status.
run() {
	local wanted=$1 name=$2 status

	shift 2
	"$FPGABUF" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ "$status" -eq "$wanted" ]
	ok $? "$name: exit status $wanted ($status)"
}

capture() {
	local wanted=$1 name=$2

	shift 2
	run "$wanted" "$name" capture --device "$DEVICE" --timeout 20 "$@"
}

# As grep -Eq, which under emulation takes longer than what is tested.
has_line() {
	local line

	while IFS= read -r line || [ -n "$line" ]; do
		[[ $line =~ $2 ]] && return
	done <"$1"
	return 1
}

out_has() {
	has_line "$dir/out" "$1"
	ok $? "says '$1'"
}

err_has() {
	has_line "$dir/err" "$1"
	ok $? "says '$1' on standard error"
}

silent() {
	[ ! -s "$dir/$1" ]
	ok $? "says nothing on $1"
}

# The unsigned 32-bit word of a file that starts at byte $2.
word() {
	od -An -tu4 -j "$2" -N 4 "$dir/$1" | tr -d ' '
}

size() {
	stat -c %s "$dir/$1"
}

# Of all buffers in $dir/out the values of a line, without its name.
values() {
	sed -n "s/^$1: *//p" "$dir/out" | tr '\n' '/'
}

out_values() {
	[ "$(values "$1")" = "$2" ]
	ok $? "$1 is $2"
}

# What start_holder runs: it says the numbers of its dma-bufs, and ends with its standard input.
# shellcheck disable=SC2016 # for the shell that it starts
HOLDER=(sh -c 'echo $FPGABUF_FD; exec cat')

# start_holder OPTION...: a program that has the dma-bufs of fpgabuf alloc; returns when it has them.
start_holder() {
	rm -f "$dir/fifo" "$dir/numbers"
	mkfifo "$dir/fifo" "$dir/numbers"
	"$FPGABUF" alloc --quiet "$@" -- "${HOLDER[@]}" <"$dir/fifo" >"$dir/numbers" 2>"$dir/err" &
	pid=$!
	exec 4>"$dir/fifo"
	read -ra fds <"$dir/numbers"
}

end_holder() {
	exec 4>&-
	wait "$pid"
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish() {
	echo "1..$count"
	echo "# $failed failed"
	[ "$failed" -eq 0 ]
}
