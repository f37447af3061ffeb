# SPDX-License-Identifier: GPL-2.0
# Where the library and the plugin are installed: Debian's multiarch folder. gcc prints its name; clang prints the target that
# it is made of, with a vendor.
PREFIX ?= /usr
LIBDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch 2>/dev/null || \
	$(CC) -print-target-triple | sed 's/-\(pc\|unknown\)-/-/')
