# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # EVENT and REST are the caller's
#
# What the jobs in the background tell the script that started them: lines in a FIFO. Its reader never gives up waiting. A read
# with a timeout (read -t) would lose the part of a line that it had read when the time was over, and with it the job's end.

# open_events FOLDER SECONDS: a FIFO in FOLDER, and "tick" in it every SECONDS, for what is to be done when nothing happens.
open_events() {
	local script=$$
	mkfifo "$1/events" || return
	exec {EVENTS}<>"$1/events"
	# A process group of its own, so that its sleep ends with it. It does not outlive the script.
	set -m
	while sleep "$2" && kill -0 "$script" 2>/dev/null; do
		echo tick >&"$EVENTS"
	done </dev/null >/dev/null &
	set +m
	TICKER=$!
}

close_events() {
	[ -z "${TICKER:-}" ] || kill -TERM -- "-$TICKER" 2>/dev/null
	TICKER=
}

# tell WORD [TEXT]: a line of less than 4096 bytes arrives whole, whoever else writes.
tell() {
	echo "$*" >&"$EVENTS"
}

# next_event: EVENT and REST, the next line's first word and what follows.
next_event() {
	read -r EVENT REST <&"$EVENTS"
}

# gone PID: a job in the background that has ended. What it told before it ended is in the FIFO by then.
gone() {
	! jobs -rp | grep -qx "$1"
}
