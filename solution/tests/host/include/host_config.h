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
#define CONFIG_SCHED_NPRIO 32
#define CONFIG_SCHED_QUANTUM_US 10000
#define CONFIG_SCHED_SLICE_US 3000
#define CONFIG_TIMER_LEAD_TICKS 0
#define CONFIG_SCHED_DL_TASKS 64
#define CONFIG_SCHED_DOMAIN_TASKS 16
#define CONFIG_MIXED_CRIT 1
#define CONFIG_MIXED_CRIT_HI_PCT 100
#define CONFIG_MIXED_CRIT_LO_TASKS 16
#define CONFIG_TRACE_ORDER 12
#define CONFIG_SELFTEST 1
/* Once as it is; once all of the hart, so that no reserve hides a mistake. */
#ifdef HOST_RELEASE
#define CONFIG_SCHED_DL_UTIL_THRESHOLD 100
#else
#define CONFIG_SCHED_DL_UTIL_THRESHOLD 95
#define CONFIG_DEBUG_CHECKS 1
#define CONFIG_LOCK_DEBUG 1
#define CONFIG_ALLOC_DEBUG 1
#define CONFIG_FAULT_INJECTION 1
#endif
