# SPDX-License-Identifier: GPL-2.0
#
# make            modules for the running kernel (or KDIR=), library, tool, plugin
# make install    all of them (DESTDIR=, PREFIX=)
# make demo       see it work, in a virtual machine, with all set-up
# make check      run the tests there, in minutes: lane stock (LANE=, TEST=FOLDER/PROGRAM)
# make check-all  run all tests in all lanes
# make coverage   what of the modules the tests ran, line by line
# make mutants    break the tree in known ways: does the lane that should see it?
#                 (SAMPLE=N: N lines at random instead; SEED=, ONLY="lib fpga/")
# make sanitize   the unit tests of user space with sanitizers
# make soak       frames for 20 minutes, and a million random calls
# make fuzz       random programs for 10 minutes, guided by what code ran (FUZZ_SECONDS=, REPRO=)
# make nightly    all of these, one after the other
# make lint       what checkpatch, sparse and others find (LANE=)
# make vm         a shell there (LANE=)

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr
LANE	?=
TEST	?=
CHECK	:= selftests/check $(addprefix --lane ,$(LANE)) $(addprefix --test ,$(TEST))
REPRO	?=
export PREFIX

# Folders with a Makefile of their own, in the order they need each other.
USER_DIRS := $(patsubst %/Makefile,%,$(wildcard lib/Makefile tools/Makefile gst-plugin/Makefile))

all: modules user

modules: include/compat/fpgabuf-config.h
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

include/compat/fpgabuf-config.h: include/compat/configure.sh include/compat/kdir \
		$(wildcard include/compat/probes/*.c) $(KDIR)/Makefile
	include/compat/configure.sh $(KDIR)
	@touch $@

# Another kernel than the last time is probed, however old its Makefile is.
include/compat/kdir: FORCE
	@echo "$(realpath $(KDIR))" | cmp -s - $@ || echo "$(realpath $(KDIR))" >$@

FORCE:

user: $(USER_DIRS)

$(USER_DIRS):
	$(MAKE) -C $@ all

tools gst-plugin: lib

install: modules_install
	set -e; for dir in $(USER_DIRS); do $(MAKE) -C $$dir install; done

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install \
		INSTALL_MOD_DIR=updates/fpgabuf CONFIG_MODULE_SIG_ALL= \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR) DEPMOD=true)

clean:
	set -e; for dir in $(USER_DIRS); do $(MAKE) -C $$dir clean; done
	[ ! -e $(KDIR)/Makefile ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -f include/compat/fpgabuf-config.h include/compat/kdir

demo:
	selftests/demo/run

check:
	$(CHECK)

check-all:
	$(CHECK) --all

coverage:
	selftests/coverage

mutants:
ifdef SAMPLE
	selftests/mutants/sample $(if $(SEED),--seed $(SEED)) $(SAMPLE) $(ONLY)
else
	selftests/mutants/run
endif

sanitize:
	selftests/sanitize $(if $(LANE),--lane $(LANE))

soak:
	selftests/soak $(if $(LANE),--lane $(LANE))

fuzz:
	selftests/fuzz/run $(if $(REPRO),--repro $(REPRO))

nightly:
	selftests/nightly

lint:
	selftests/lint/run $(if $(LANE),--lane $(LANE))

vm:
	selftests/vm/run --lane $(or $(LANE),stock)

.PHONY: FORCE all modules user install modules_install clean demo check check-all coverage lint mutants sanitize \
	fuzz soak nightly vm $(USER_DIRS)
