#include "metadata/rules_internal.h"

const struct rule rules_of_vectors[] = {{0}};
