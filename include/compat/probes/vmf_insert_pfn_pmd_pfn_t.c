// SPDX-License-Identifier: GPL-2.0
/* What takes an unsigned long now took a type of its own before 6.17. */
#include <linux/mm.h>
#include <linux/pfn_t.h>

vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn);
vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn)
{
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), true);
}
