#define LAB_TODO(lab, task) todo("lab " #lab " task " #task " is yours: labs/01-standin/README.md\n")
void say(const char *text);
void leave(int status) __attribute__((noreturn));
void todo(const char *text) __attribute__((noreturn));
long twice(long n);
long thrice(long n);
