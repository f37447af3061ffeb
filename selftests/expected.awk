# SPDX-License-Identifier: GPL-2.0
#
# awk -v lane=LANE -v wanted="FOLDER[/PROGRAM]…" -f expected.awk EXPECTED TAP
#	prints what TAP, the output of guest-tests for WANTED in LANE, lacks of
#	what EXPECTED says, or has in place of it; nothing if all is as expected.
# awk -v learn=1 -f expected.awk EXPECTED LANE=TAP…
#	prints EXPECTED with what the TAPs say in place of what it said of their
#	programs.
#
# A line of EXPECTED is "results LANES PROGRAM N" or "skip LANES PROGRAM TEST",
# LANES with commas between them.

function wants(program,   folder) {
	folder = program
	sub(/\/.*/, "", folder)
	return index(" " wanted " ", " " folder " ") || index(" " wanted " ", " " program " ")
}

# The name of a result: "ok 3 - name # SKIP reason", the harness has no "- ".
function name_of(line) {
	sub(/^(not )?ok [0-9]+ (- )?/, "", line)
	sub(/ *# SKIP.*/, "", line)
	return line
}

function expectation(   lanes, n, i, test) {
	test = $0
	sub(/^[a-z]+ [^ ]+ [^ ]+ /, "", test)
	n = split($2, lanes, ",")
	for (i = 1; i <= n; i++) {
		if ($1 == "results")
			results[lanes[i], $3] = test
		else
			may_skip[lanes[i], $3, test] = 1
	}
}

function result(line) {
	count[lane, program]++
	if (line ~ /# SKIP/)
		skipped[lane, program, name_of(line)] = 1
}

# A program with no result of its own has that of its line.
function program_ends(line) {
	ran[lane, program] = 1
	if (!((lane, program) in count))
		result("ok 1 " program (line ~ /# SKIP/ ? " # SKIP" : ""))
	if (line ~ /^not ok/ && line !~ /# SKIP/)
		bad[lane, program] = 1
	program = ""
}

BEGIN {
	if (!learn)
		next_file_is_tap = 1
	for (i = 2; learn && i < ARGC; i++) {
		lane_of[substr(ARGV[i], index(ARGV[i], "=") + 1)] = substr(ARGV[i], 1, index(ARGV[i], "=") - 1)
		ARGV[i] = substr(ARGV[i], index(ARGV[i], "=") + 1)
	}
}

FILENAME == ARGV[1] {
	if (/^#/ || !NF)
		head = head (/^#/ ? $0 "\n" : "")
	else
		expectation()
	next
}

FNR == 1 && learn {
	lane = lane_of[FILENAME]
}

/^# selftests: [^ ]+: / {
	program = $3 "/" $4
	sub(/:\//, "/", program)
	next
}

program && /^# (not )?ok [0-9]+/ {
	result(substr($0, 3))
	next
}

program && /^(not )?ok [0-9]+ selftests: / {
	program_ends($0)
}

function differences(   key, part, n) {
	for (key in results) {
		split(key, part, SUBSEP)
		if (part[1] != lane || !wants(part[2]))
			continue
		n = count[lane, part[2]] + 0
		if (!((lane, part[2]) in ran))
			print part[2] " did not run to its end: " n " of " results[key] " results"
		else if (n != results[key])
			print part[2] " has " n " results, " results[key] " are expected"
	}
	for (key in ran) {
		split(key, part, SUBSEP)
		if (!(key in results))
			print part[2] " has " count[key] " results, none are expected in lane " lane
	}
	for (key in skipped) {
		split(key, part, SUBSEP)
		if (!(key in may_skip))
			print part[2] ": " part[3] " is skipped, which is not expected in lane " lane
	}
}

# LANES of all lines that differ in nothing else come together.
function gather(kind, set, as_value,   key, part, line) {
	for (key in set) {
		split(key, part, SUBSEP)
		line = kind SUBSEP part[2] " " (as_value ? set[key] : part[3])
		lines[line] = lines[line] (line in lines ? " " : "") part[1]
	}
}

function sorted(list,   lanes, n, i, j, swap, out) {
	n = split(list, lanes, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && lanes[j] < lanes[j - 1]; j--) {
			swap = lanes[j]
			lanes[j] = lanes[j - 1]
			lanes[j - 1] = swap
		}
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? "," : "") lanes[i]
	return out
}

# What failed teaches nothing.
function learned(   key, part, line, sort) {
	for (key in may_skip) {
		split(key, part, SUBSEP)
		if (((part[1], part[2]) in ran) && !((part[1], part[2]) in bad))
			delete may_skip[key]
	}
	for (key in ran)
		if (!(key in bad))
			results[key] = count[key]
	for (key in skipped) {
		split(key, part, SUBSEP)
		if (!((part[1], part[2]) in bad))
			may_skip[key] = 1
	}
	gather("results", results, 1)
	gather("skip", may_skip, 0)
	printf "%s", head
	fflush()
	sort = "LC_ALL=C sort -k 3,3 -k 1,1 -k 2"
	for (line in lines) {
		split(line, part, SUBSEP)
		print part[1] " " sorted(lines[line]) " " part[2] | sort
	}
	close(sort)
}

END {
	if (learn)
		learned()
	else
		differences()
}
