#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Find out what a kernel has, by compiling probes/*.c against it: a probe that
# compiles gives HAVE_<NAME>. All probes go through one run of kbuild.
#
# Usage: configure.sh KDIR
# Writes fpgabuf-config.h beside itself, when it changed.
set -eu

kdir=$1
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -e "$kdir/Makefile" ]; then
	echo "configure.sh: $kdir is no kernel build folder (install linux-headers, or set KDIR)" >&2
	exit 1
fi

cp "$here"/probes/*.c "$work"
# What must compile anywhere, so that a broken set-up is not taken for an old
# kernel.
echo '#include <linux/module.h>' >"$work/control.c"
(cd "$work" && for f in *.c; do echo "obj-m += ${f%.c}.o"; done) >"$work/Kbuild"
make -k -C "$kdir" M="$work" W= C= KCFLAGS=-Werror CONFIG_DEBUG_INFO_BTF_MODULES= modules \
	>"$work/log" 2>&1 || true

if [ ! -e "$work/control.o" ]; then
	cat "$work/log" >&2
	echo "configure.sh: cannot compile a module against $kdir" >&2
	exit 1
fi

{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by configure.sh for $(MAKEFLAGS='' make -s --no-print-directory -C "$kdir" kernelrelease 2>/dev/null) */"
	for f in "$here"/probes/*.c; do
		name=$(basename "$f" .c)
		[ ! -e "$work/$name.o" ] ||
			echo "#define HAVE_$(echo "$name" | tr '[:lower:]' '[:upper:]') 1"
	done
} >"$work/config.h"

cmp -s "$work/config.h" "$here/fpgabuf-config.h" ||
	cp "$work/config.h" "$here/fpgabuf-config.h"
