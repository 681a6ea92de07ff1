/*
 * config.h - Kconfig symbols inside C.
 *
 * Every file is compiled with the generated autoconf.h in front: CONFIG_X is 1 when an option is
 * on and undefined when it is off. IS_ENABLED(CONFIG_X) is 1 or 0 in an ordinary condition, so
 * that the compiler reads both sides and no #if is needed.
 */
#ifndef MAZU_CONFIG_H
#define MAZU_CONFIG_H

#define IS_ENABLED(option) CONFIG_TAKE_SECOND(CONFIG_EXPAND(option))
#define CONFIG_EXPAND(value) CONFIG_PREFIX_##value
#define CONFIG_PREFIX_1 0, 1
#define CONFIG_TAKE_SECOND(...) CONFIG_TAKE_SECOND_(__VA_ARGS__, 0, 0)
#define CONFIG_TAKE_SECOND_(first, second, ...) second

#endif
