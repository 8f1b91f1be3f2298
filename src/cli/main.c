#include "cli/version.h"

#include <stdio.h>

int main(void)
{
	printf("shardlift %s\n", shardlift_version);
	return 0;
}
