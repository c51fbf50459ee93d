#include "core/domain/scheduler_name.h"
