/* What every program has of the team: whether there is one. */
#include <stddef.h>

#include "mxrt.h"
#include "team.h"

_Atomic(const mx_team *) mx_the_team;

int mx_num_threads(void) {
    const mx_team *team = atomic_load_explicit(&mx_the_team, memory_order_acquire);
    return team == NULL ? 1 : team->size();
}
