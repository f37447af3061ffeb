# SPDX-License-Identifier: GPL-2.0
#
# Counts the results of TAP, as it comes from a test program, or from the
# kernel's kselftest runner, which prefixes a program's own results with "# "
# and sums each program up in a line of its own. Prints: passed failed skipped.
#
# A program's line counts only when it says more than its own results did: it
# crashed, timed out, or had none.

function count(line) {
	if (line ~ /^not ok/)
		failed++
	else if (line ~ /# SKIP/)
		skipped++
	else
		passed++
}

/^# (not )?ok [0-9]+/ {
	line = substr($0, 3)
	count(line)
	inner++
	if (line ~ /^not ok/)
		inner_failed++
	next
}

/^(not )?ok [0-9]+ selftests: / {
	if (!inner || ($0 ~ /^not ok/ && $0 !~ /# SKIP/ && !inner_failed))
		count($0)
	inner = inner_failed = 0
	next
}

/^(not )?ok [0-9]+/ {
	count($0)
}

END {
	printf "%d %d %d\n", passed, failed, skipped
}
