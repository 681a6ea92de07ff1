#include "standin.h"

long twice(long n)
{
	return 2 * n;
}
