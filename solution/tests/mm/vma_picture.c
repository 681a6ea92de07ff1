/*
 * Sets of areas as pictures: see vma_picture.h.
 */
#include "vma_picture.h"

#include <mazu/mem.h>

#define PICTURE_MAX 128

struct vma_set picture_set;

static const struct {
	char letter;
	u8 rights, kind;
} letters[] = {
	{ 'r', VM_READ, VMA_ZERO },
	{ 'w', VM_READ | VM_WRITE, VMA_ZERO },
	{ 'x', VM_READ | VM_EXEC, VMA_ZERO },
	{ 'e', VM_EXEC, VMA_ZERO },
	{ 's', VM_READ, VMA_SHARED },
	{ 'S', VM_READ | VM_WRITE, VMA_SHARED },
	{ 'g', 0, VMA_GUARD },
};

struct vma picture_area(u32 first, u32 end, char letter)
{
	struct vma vma = { .start = MODEL_AT(first), .end = MODEL_AT(end) };

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].letter == letter) {
			vma.rights = letters[i].rights;
			vma.kind = letters[i].kind;
		}
	return vma;
}

static char letter_of(const struct vma *vma)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].rights == vma->rights && letters[i].kind == vma->kind)
			return letters[i].letter;
	return '?';
}

struct str picture(void)
{
	static char text[PICTURE_MAX];
	uptr at = MODEL_BASE;
	size_t len = 0;

	for (u32 i = 0; i < picture_set.count; i++) {
		const struct vma *vma = &picture_set.at[i];

		for (; at < vma->start && len < PICTURE_MAX; at += PAGE_SIZE)
			text[len++] = '.';
		if (i > 0 && letter_of(vma - 1) == letter_of(vma) && vma[-1].end == vma->start &&
		    len < PICTURE_MAX)
			text[len++] = '|';
		for (; at < vma->end && len < PICTURE_MAX; at += PAGE_SIZE)
			text[len++] = letter_of(vma);
	}
	return (struct str){ text, len };
}

struct str picture_start(size_t len)
{
	return (struct str){ picture().data, len };
}

enum error picture_draw(struct str text)
{
	enum error err = OK;

	memset(&picture_set, 0, sizeof(picture_set));
	for (u32 i = 0, end; i < text.len && !err; i = end) {
		for (end = i + 1; end < text.len && text.data[end] == text.data[i];)
			end++;
		if (text.data[i] != '.')
			err = vma_insert(&picture_set, picture_area(i, end, text.data[i]));
	}
	return err;
}

void picture_draw_full(struct selftest *t)
{
	memset(&picture_set, 0, sizeof(picture_set));
	for (u32 i = 0; i < CONFIG_VMA_MAX; i++)
		CHECK_EQ(t, vma_insert(&picture_set, picture_area(2 * i, 2 * i + 2, "rw"[i % 2])),
			 OK);
	CHECK_EQ(t, picture_set.count, CONFIG_VMA_MAX);
}

bool picture_is_still(const struct vma_set *other)
{
	return picture_set.count == other->count &&
	       !memcmp(picture_set.at, other->at, picture_set.count * sizeof(picture_set.at[0]));
}
