# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What check makes of the output of tests: counts, what went wrong, how to run it again. Uses SELFTESTS, LOGS and note of the
# script that sources it.

# Per lane, and "host" for what needs none.
declare -A PASSED=() FAILED=() SKIPPED=()

# count LANE PASSED FAILED SKIPPED
count() {
	PASSED[$1]=$((${PASSED[$1]:-0} + $2))
	FAILED[$1]=$((${FAILED[$1]:-0} + $3))
	SKIPPED[$1]=$((${SKIPPED[$1]:-0} + $4))
}

# add_results LANE FILE: counts the TAP in FILE.
add_results() {
	local passed failed skipped
	read -r passed failed skipped < <(awk -f "$SELFTESTS/tally.awk" "$2")
	count "$1" "$passed" "$failed" "$skipped"
	COUNTED="$passed passed, $failed failed, $skipped skipped"
}

# expect LANE LABEL CMD…: one test that is a command. Speaks only of one that failed.
expect() {
	local lane=$1 label=$2
	shift 2
	if "$@"; then
		count "$lane" 1 0 0
	else
		count "$lane" 0 1 0
		note "FAILED: $label"
	fi
}

# What went wrong, from a TAP file: each failed test with the lines before it that explain it.
explain() {
	grep -B 12 -E '^(# )?not ok ' "$1" | grep -vE '^(# )?ok |^#? *# +(RUN|OK)|^--$' | sed 's/^/    /'
}

# All skips of a run are in one file, with their reasons: a list of them hides what matters.
keep_skips() {
	grep -oE '^(# )?ok [0-9]+ .*# SKIP.*' "$3" | sed -E "s|^(# )?ok [0-9]+ (- )?|$1: $2: |" >>"$LOGS/skipped"
}

# tap_results LANE LABEL FILE STATUS: of a command that printed TAP.
tap_results() {
	add_results "$1" "$3"
	note "$2: $COUNTED"
	explain "$3"
	keep_skips "$1" "$2" "$3"
	[ "$4" = 0 ] || [[ "$COUNTED" != *" 0 failed"* ]] || expect "$1" "$2 ends with status 0 (it was $4; see $3)" false
}

# failed_programs FILE: FOLDER/PROGRAM of the kselftests that failed, and the seed that each printed, if it did.
failed_programs() {
	awk '
	/^# selftests: / { seed = "" }
	match($0, /seed [0-9]+/) { seed = substr($0, RSTART + 5, RLENGTH - 5) }
	/^not ok [0-9]+ selftests: / && !/# SKIP/ {
		program = $5 "/" $6
		sub(/:\//, "/", program)
		print program, seed
	}' "$1"
}

# again LANE FILE: the command that runs each failed program once more.
again() {
	local program seed
	while read -r program seed; do
		note "    again: make check LANE=$1 TEST=$program${seed:+ FPGABUF_SEED=$seed}"
	done < <(failed_programs "$2")
}

# differences LANE WANTED FILE: what the kselftests that are WANTED did not do as expected, a line each, at most ten.
differences() {
	awk -v lane="$1" -v wanted="$2" -f "$SELFTESTS/expected.awk" "$SELFTESTS/expected" "$3" | LC_ALL=C sort | awk '
		NR <= 10 { print }
		END { if (NR > 10) print "and " NR - 10 " more" }'
}

# as_expected LANE LABEL WANTED FILE: one test.
as_expected() {
	local found
	found=$(differences "$1" "$3" "$4")
	expect "$1" "$2: it is not what selftests/expected says" test -z "$found"
	[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/    /'
}

# learn LANE=FILE…: what ran well is expected from now on.
learn() {
	awk -v learn=1 -f "$SELFTESTS/expected.awk" "$SELFTESTS/expected" "$@" >"$SCRATCH/expected" &&
		cat "$SCRATCH/expected" >"$SELFTESTS/expected"
}
