/*
 * Pools: see pool.h.
 *
 * The free objects are a stack through their first words; taking and giving back move one pointer.
 *
 * In debug builds the second word of a free object is a mark, mixed from the object's address and
 * the first word. It tells a double free at once; and if either word was written to after the free,
 * the mark is wrong when the object is taken again.
 */
#include <mazu/fault_inject.h>
#include <mazu/panic.h>
#include <mazu/pool.h>

#define POOL_ALIGN 16
#define FREE_MARK 0x706f6f6c66726565UL

struct free_object {
	struct free_object *next;
	u64 mark; /* debug builds */
};
static_assert(sizeof(struct free_object) <= POOL_ALIGN, "the smallest object has room");

static size_t object_bytes(size_t size)
{
	return ALIGN_UP(size, POOL_ALIGN);
}

size_t pool_bytes(size_t object_size, size_t capacity)
{
	return object_bytes(object_size) * capacity;
}

/* ---- Debug builds ---- */

static u64 mark_of(const struct free_object *object)
{
	return FREE_MARK ^ (uptr)object ^ (uptr)object->next;
}

static bool is_object(const struct pool *pool, const void *object)
{
	size_t offset = (size_t)((uptr)object - (uptr)pool->memory);

	return offset < pool->capacity * pool->object_size && offset % pool->object_size == 0;
}

static void check_free(const struct pool *pool, const struct free_object *object, uptr caller)
{
	if (!is_object(pool, object))
		panic_from(caller, "pool: free of 0x%lx: no object of this pool", (uptr)object);
	if (object->mark == mark_of(object))
		panic_from(caller, "pool: object 0x%lx of %lu bytes: double free", (uptr)object,
			   pool->object_size);
}

static void check_alloc(const struct pool *pool, struct free_object *object, uptr caller)
{
	if (object->mark != mark_of(object))
		panic_from(caller, "pool: object 0x%lx of %lu bytes: use after free", (uptr)object,
			   pool->object_size);
	object->mark = 0;
}

/* ---- Allocating and freeing ---- */

#define CALLER ((uptr)__builtin_return_address(0))

static void push(struct pool *pool, struct free_object *object)
{
	object->next = pool->free;
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		object->mark = mark_of(object);
	pool->free = object;
}

/* Apart from pool_alloc, which so needs no stack. */
static __attribute__((noinline)) struct result_ptr pool_alloc_fail(void)
{
	return result_ptr_err(ERR_NOMEM);
}

struct result_ptr pool_alloc(struct pool *pool)
{
	struct free_object *object = pool->free;

	if (fault_inject_hit() || unlikely(!object))
		return pool_alloc_fail();
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		check_alloc(pool, object, CALLER);
	pool->free = object->next;
	pool->in_use++;
	return result_ptr_ok(object);
}

void pool_free(struct pool *pool, void *object)
{
	if (IS_ENABLED(CONFIG_ALLOC_DEBUG))
		check_free(pool, object, CALLER);
	push(pool, object);
	pool->in_use--;
}

static struct result_ptr pool_op_alloc(struct allocator *allocator, size_t size)
{
	struct pool *pool = container_of(allocator, struct pool, allocator);

	if (size == 0 || size > pool->object_size)
		return result_ptr_err(ERR_INVAL);
	return pool_alloc(pool);
}

static void pool_op_free(struct allocator *allocator, void *object, size_t size)
{
	(void)size;
	pool_free(container_of(allocator, struct pool, allocator), object);
}

static const struct allocator_ops pool_ops = { STR("pool"), pool_op_alloc, pool_op_free };

/* As long as there are objects: each is put on the stack, the first on top. */
enum error pool_init(struct pool *pool, struct byte_array memory, size_t object_size)
{
	size_t bytes = object_bytes(object_size);

	if (object_size == 0 || bytes < object_size || bytes > memory.len ||
	    (uptr)memory.data % POOL_ALIGN)
		return ERR_INVAL;
	*pool = (struct pool){
		.allocator = { &pool_ops },
		.object_size = bytes,
		.capacity = memory.len / bytes,
		.memory = memory.data,
	};
	for (size_t i = pool->capacity; i-- > 0;)
		push(pool, (struct free_object *)(memory.data + i * bytes));
	return OK;
}
