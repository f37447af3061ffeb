// SPDX-License-Identifier: GPL-2.0
/*
 * edu's engine for other clients of dmaengine, by a module that is one; and what
 * the IOMMU does with an address that was not mapped.
 */
#include <stdio.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "edu.h"

#define MODULE		"edu_copy"
#define MODULE_FILE	"test_modules/" MODULE ".ko"

/* As in the module, and in ../vm/scanlog.allow */
#define UNMAPPED	" fault addr 0xbad000 "

/* The copies are made when it is loaded, which fails when one is wrong. */
static int copy(const char *param)
{
	const char *const insert[] = { "insmod", MODULE_FILE, param, NULL };
	const char *const remove[] = { "rmmod", MODULE, NULL };
	int ret = run_program(insert);

	return ret ?: run_program(remove);
}

FIXTURE(engine) {
	int kmsg;
};

FIXTURE_SETUP(engine)
{
	REQUIRE_FILE(MODULE_FILE);
	self->kmsg = kmsg_open();
	ASSERT_LE(0, self->kmsg);
}

FIXTURE_TEARDOWN(engine)
{
	close(self->kmsg);
}

TEST_F(engine, copies)
{
	EXPECT_EQ(0, copy(NULL));
	EXPECT_EQ(0, kmsg_faults(self->kmsg));
}

/* Memory is not written, the kernel hears of it, and the device still works. */
TEST_F(engine, unmapped_address_faults)
{
	EXPECT_EQ(0, copy("unmapped=1"));
	EXPECT_EQ(0, kmsg_wait(self->kmsg, UNMAPPED, 5000));
	EXPECT_EQ(0, copy(NULL));
	EXPECT_EQ(0, kmsg_faults(self->kmsg));
}

int main(int argc, char **argv)
{
	int status = edu_set_up();

	if (status)
		return status;
	return test_harness_run(argc, argv);
}
