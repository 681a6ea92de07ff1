/*
 * vma_picture.h - a set of areas as a picture: a character is a page, the letter says what it is, and a
 * run of the same letter is one area.
 *
 *	.  nothing		  r  read	 w  read and write	x  read and execute
 *	g  guard		  e  execute	 s  read, shared	S  read and write, shared
 *
 * A bar in front of a page means that an area begins there although its neighbour has the same letter.
 */
#ifndef MM_VMA_PICTURE_H
#define MM_VMA_PICTURE_H

#include "vma_model.h"

#include <mazu/selftest.h>

extern struct vma_set picture_set;

/* Pages [first, end) as the letter says. */
struct vma picture_area(u32 first, u32 end, char letter);

/* What the set holds; the first `len` characters of that. */
struct str picture(void);
struct str picture_start(size_t len);

/* Makes the set what a picture without bars shows. */
enum error picture_draw(struct str text);

/* As many areas as there may be, each of two pages and all of them touching: rrwwrrww... */
void picture_draw_full(struct selftest *t);

bool picture_is_still(const struct vma_set *before);

#endif
