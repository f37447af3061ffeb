#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Find out what a kernel has, by compiling probes/*.c against it: a probe that
# compiles, and uses nothing that the kernel keeps from modules, gives
# HAVE_<NAME>. All probes go through one run of kbuild, and those that compiled
# through another one, which looks for what they use.
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
# What must build anywhere, so that a broken set-up is not taken for an old
# kernel.
cat >"$work/control.c" <<'END'
#include <linux/slab.h>
void probe(void *p);
void probe(void *p) { kfree(p); }
END

# kbuild FILE...: what becomes of each is seen from its object and the log.
kbuild() {
	for f; do
		f=${f##*/}
		echo "obj-m += ${f%.*}.o"
	done >"$work/Kbuild"
	make -k -C "$kdir" M="$work" W= C= KCFLAGS=-Werror CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>"$work/log" 2>&1 || true
}

# has NAME: it compiled, and all that it uses is there for modules.
has() {
	[ -e "$work/$1.o" ] && ! grep -q "modpost: .*[[/]$1\.ko\] undefined!" "$work/log"
}

kbuild "$work"/*.c
# It looks for symbols only when all of its objects could be made.
mv "$work/log" "$work/log-compile"
rm -f "$work"/*.mod.o
[ ! -e "$work/control.o" ] || kbuild "$work"/*.o

if ! has control; then
	cat "$work"/log* >&2
	echo "configure.sh: cannot build a module against $kdir" >&2
	exit 1
fi

{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by configure.sh for $(MAKEFLAGS='' make -s --no-print-directory -C "$kdir" kernelrelease 2>/dev/null) */"
	for f in "$here"/probes/*.c; do
		name=$(basename "$f" .c)
		! has "$name" ||
			echo "#define HAVE_$(echo "$name" | tr '[:lower:]' '[:upper:]') 1"
	done
} >"$work/config.h"

cmp -s "$work/config.h" "$here/fpgabuf-config.h" ||
	cp "$work/config.h" "$here/fpgabuf-config.h"
