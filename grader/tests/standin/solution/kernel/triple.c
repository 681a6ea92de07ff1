#include "standin.h"

long thrice(long n)
{
	return 3 * n;
}
