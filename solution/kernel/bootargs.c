/*
 * The kernel command line. It is scanned anew for each question: there are few, all at
 * boot, and so nothing is stored and no length is too long.
 */
#include <mazu/board.h>
#include <mazu/bootargs.h>

static struct result_str word_value(struct str word, struct str key)
{
	struct str rest = str_skip(word, key.len);

	if (!str_starts_with(word, key) || (rest.len && rest.data[0] != '='))
		return result_str_err(ERR_NOENT);
	return result_str_ok(str_skip(rest, 1));
}

struct result_str bootargs_find(struct str key)
{
	struct result_str found = result_str_err(ERR_NOENT);
	struct str rest = board.bootargs;
	struct str word;

	while (!str_is_empty(word = str_split_word(&rest))) {
		struct result_str value = word_value(word, key);

		if (!value.err)
			found = value;
	}
	return found;
}

u64 bootargs_number(struct str key, u64 otherwise)
{
	struct result_str text = bootargs_find(key);
	struct result_u64 number = str_to_u64(text.value);

	return text.err || number.err ? otherwise : number.value;
}
