/*
 * list.h - doubly linked lists whose links lie inside what they link.
 *
 * A list is a circle through its head: an empty head points at itself, so no operation asks
 * whether it is at an end. Each takes a handful of instructions. The list owns nothing; whoever
 * holds it says which lock guards it.
 */
#ifndef MAZU_LIST_H
#define MAZU_LIST_H

#include <mazu/types.h>

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* In front of `place`: before a head is the end of the list. */
static inline void list_insert_before(struct list *place, struct list *item)
{
	item->next = place;
	item->prev = place->prev;
	place->prev->next = item;
	place->prev = item;
}

static inline void list_push_front(struct list *head, struct list *item)
{
	item->next = head->next;
	item->prev = head;
	head->next->prev = item;
	head->next = item;
}

static inline void list_push_back(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}

/* The item's own links keep pointing where they did. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
}

/* From front to back; the body must not remove `at`. */
#define list_for_each(at, head) for (struct list *at = (head)->next; at != (head); at = at->next)

#endif
