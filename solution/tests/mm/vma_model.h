/*
 * vma_model.h - a set of areas (vma.h) beside a naive model of it, for tests on the host and in the guest.
 *
 * The model is an array with an entry for each page of a small address space, from which every
 * answer can be counted out. Each call here does the same to both and says whether they agree on
 * the answer; vma_pair_agrees() compares all of what they hold, the header's invariants included.
 */
#ifndef MM_VMA_MODEL_H
#define MM_VMA_MODEL_H

#include <mazu/page.h>
#include <mazu/vma.h>

#define MODEL_BASE (1UL << 37)
#define MODEL_PAGES 192
#define MODEL_AT(page) (MODEL_BASE + (uptr)(page)*PAGE_SIZE)

struct model_page {
	bool used;
	bool first; /* of its area */
	u8 rights;
	u8 kind;
};

struct vma_pair {
	struct vma_set set;
	struct model_page pages[MODEL_PAGES];
};

void vma_pair_init(struct vma_pair *pair);

/* Any arguments, but what vma.h does not refuse lies inside the model's pages. */
bool vma_pair_insert(struct vma_pair *pair, struct vma vma);
bool vma_pair_remove(struct vma_pair *pair, uptr start, uptr end);
bool vma_pair_protect(struct vma_pair *pair, uptr start, uptr end, u32 rights);
bool vma_pair_find_gap(const struct vma_pair *pair, u32 low_page, u32 high_page, size_t size);
bool vma_pair_check(const struct vma_pair *pair, uptr start, size_t size, u32 access);

bool vma_pair_agrees(const struct vma_pair *pair);

/* One call of any kind, chosen by a number that is random in all its bits; whether all agrees. */
bool vma_pair_step(struct vma_pair *pair, u64 random);

#endif
