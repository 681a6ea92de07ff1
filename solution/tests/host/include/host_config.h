/*
 * host_config.h - the configuration that the host's tests are compiled with: Kconfig's defaults, as the
 * debug profile has them, or with HOST_RELEASE as the release profile has them.
 */
#define CONFIG_STAGE 2
#define CONFIG_CPU_MAX 8
#define CONFIG_VERSION "host"
#define CONFIG_MM 1
#define CONFIG_VMA_MAX 48
#define CONFIG_SPACE_MAX 64
#define CONFIG_PAGE_CACHE_MAX 16
#define CONFIG_SELFTEST 1
#ifndef HOST_RELEASE
#define CONFIG_DEBUG_CHECKS 1
#define CONFIG_LOCK_DEBUG 1
#define CONFIG_ALLOC_DEBUG 1
#define CONFIG_FAULT_INJECTION 1
#endif
